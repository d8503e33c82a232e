// A finished run as a page that stands alone, saved where the person says.
import { outOf, quantizeLine } from '../../../electron/contract/command-line.ts'
import type { RunDetails } from '../../../electron/contract/history.ts'
import { findMethod } from '../../../electron/contract/methods.ts'
import type { Recipe } from '../../../electron/contract/recipe.ts'
import type { FileBytes, RunReport } from '../../../electron/contract/records.ts'
import { ask } from '../../client/client.ts'
import { saveFile } from '../../client/saving.ts'
import { fileName } from '../../drawing/csv.ts'
import { pairs } from './perplexities.ts'
import { recipeRows } from './recipe-rows.ts'
import { textName } from './words.ts'

type Known = { details: RunDetails; report: RunReport | null; bytes: FileBytes | null }

export async function saveReport({ details: run, report, bytes }: Known): Promise<void> {
  const [{ runReport }, about] = await Promise.all([import('../../parts/report/run-report.ts'), ask('about', {})])
  const sources = run.recipe.evaluations.map(({ source }) => source)
  const rows = recipeRows(run.recipe)
  const page = await runReport({
    run,
    report,
    bytes,
    measured: pairs(run.metrics, sources).map((pair) => ({ ...pair, name: textName(pair.source) })),
    recipe: [...rows.parameters, ...rows.texts],
    line: lineOf(run),
    date: Date.now(),
    program: about.value ? `Signum ${about.value.version}` : 'Signum',
  })
  await saveFile(fileName(`${run.name} report`, 'html'), new TextEncoder().encode(page))
}

/** The model by its name: where its folder lies is nobody's business but the machine's. */
function lineOf({ recipe, name, model }: RunDetails): string | null {
  const method = findMethod(recipe.method)
  if (!method.ok) return null
  const known = { ...recipe, method: method.value.id } as Recipe
  return quantizeLine({ model: model?.name ?? 'MODEL', recipe: known, name, threads: 0, out: outOf(name) })
}
