// The compared runs as a page that stands alone: what the table shows, the charts, and what the recipes differ in.
import { protocolWords } from '../../../../electron/contract/evaluation.ts'
import { ask } from '../../../client/client.ts'
import { runs } from '../../../client/runs.svelte.ts'
import { saveFile } from '../../../client/saving.ts'
import { depthOption } from '../../../drawing/chart/error-by-depth.ts'
import { fileName } from '../../../drawing/csv.ts'
import { runColour } from '../../../drawing/run-colour.ts'
import type { ComparisonFacts, ReportChart } from '../../../parts/report/comparison-report.ts'
import { compare } from '../compare.svelte.ts'
import type { Row } from '../row.ts'
import { xAxes, yAxes } from './axes.ts'
import { charts, mostOverlaid } from './charts.svelte.ts'
import { overlay, shownAs } from './depth.ts'
import { publishedTitle, scatterOption, symbolOf } from './scatter-option.ts'
import { scatterOf } from './scatter.ts'
import { recipeTable } from './recipe-table.ts'

/** More rows than this nobody reads on a page. */
export const mostReported = 50

/** Chosen runs, or all that are shown; null with the reason where there is nothing to write of. */
export function reported(): { rows: Row[]; objection: string | null } {
  const rows = compare.compared.filter(({ status }) => status === 'finished')
  if (rows.length < 2) return { rows, objection: 'A comparison needs two finished runs.' }
  if (rows.length > mostReported) return { rows, objection: `Choose 2 to ${mostReported} runs in the table first.` }
  return { rows, objection: null }
}

export async function saveComparison(): Promise<void> {
  const { rows } = reported()
  const overlaid = rows.slice(0, mostOverlaid)
  const [{ comparisonReport }, about] = await Promise.all([
    import('../../../parts/report/comparison-report.ts'),
    ask('about', {}),
    charts.loadReports(overlaid.map(({ id }) => id)),
  ])
  const page = await comparisonReport({
    ...factsOf(rows, overlaid),
    date: Date.now(),
    program: about.value ? `Signum ${about.value.version}` : 'Signum',
  })
  await saveFile(fileName(`Comparison of ${rows.length} runs`, 'html'), new TextEncoder().encode(page))
}

function factsOf(rows: readonly Row[], overlaid: readonly Row[]): Omit<ComparisonFacts, 'date' | 'program'> {
  const columns = compare.shown.filter(({ id }) => id !== 'name')
  const recipes = rows.slice(0, mostOverlaid).flatMap(({ id }) => runs.get(id)?.recipe ?? [])
  return {
    models: [...new Set(rows.map(({ model }) => model))],
    baseline: compare.baseline?.name ?? null,
    columns: columns.map(({ title, unit, numeric }) => ({ title, unit, numeric })),
    rows: rows.map((row) => ({
      name: row.name,
      colour: runColour(row.id),
      cells: columns.map((column) => ({ text: column.text(row), delta: compare.deltaOf(column, row) })),
    })),
    charts: [...scatterChart(rows), ...depthCharts(overlaid)],
    recipes: recipeTable(recipes).filter(({ differs }) => differs),
    recipeNames: rows.slice(0, mostOverlaid).map(({ name }) => name),
    protocols: compare.texts
      .filter(({ key }) => rows.some(({ texts }) => texts.has(key)))
      .map(
        ({ name, window, protocol }) =>
          `${name}: protocol ${protocol}, windows of ${window} tokens. ${sentence(protocol)}`,
      ),
  }
}

const sentence = (protocol: string): string =>
  Object.hasOwn(protocolWords, protocol) ? protocolWords[protocol as keyof typeof protocolWords] : ''

function scatterChart(rows: readonly Row[]): ReportChart[] {
  const { x, y, scale, text, publishedPoints: published } = charts
  if (!text) return []
  const { groups } = scatterOf(rows, { x, y, text: text.key })
  const count = groups.reduce((sum, { points }) => sum + points.length, 0)
  if (count === 0) return []
  const title = `${xAxes[x].title} against ${yAxes[y].title.toLowerCase()} on ${text.name}`
  const marks = { active: null, baseline: compare.baseline?.id ?? null, chosen: new Set<number>() }
  return [
    {
      title,
      label: `${count} runs; the line joins those that no other beats, the original is dashed`,
      option: scatterOption({ groups, published, x, y, scale, text: text.name, marks }),
      legend: [
        ...groups.flatMap(({ points, model }, at) =>
          points.map(({ row }) => ({
            name: groups.length > 1 ? `${row.name} (${model})` : row.name,
            colour: runColour(row.id),
            symbol: symbolOf(at),
          })),
        ),
        ...(published.length > 0 ? [{ name: publishedTitle, colour: 'var(--faint)', symbol: 'cross' }] : []),
      ],
      note:
        published.length === 0
          ? ''
          : `Published points are of ${[...new Set(published.map(({ model }) => model))].join(', ')} on WikiText-2, windows of 2048. Sources: ${[...new Set(published.map(({ source }) => source))].join('; ')}.`,
    },
  ]
}

function depthCharts(rows: readonly Row[]): ReportChart[] {
  const known = rows.flatMap(({ id, name }) => {
    const reports = charts.reports.get(id)
    return reports ? [{ id, name, reports }] : []
  })
  const layers = known.flatMap(({ reports }) => reports).reduce((most, { layer }) => Math.max(most, layer + 1), 0)
  return (['relative_output_error', 'relative_weight_error'] as const).flatMap((measure) => {
    const lines = overlay(known, { measure, kind: 'every', against: null }).filter(({ points }) => points.length > 0)
    if (lines.length === 0) return []
    const shown = shownAs(measure, null)
    return [
      {
        title: `${shown.title[0]!.toUpperCase()}${shown.title.slice(1)} by depth`,
        label: `The ${shown.title} by decoder layer, the mean of its linears by their weights, one line a run`,
        option: depthOption(lines, layers, shown),
        legend: lines,
      },
    ]
  })
}
