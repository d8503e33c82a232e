// One matrix from a file to a file.
import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import { parseRecipe } from '../contract/recipe.ts'
import { layerReportSchema, type LayerReport, type Note } from '../contract/records.ts'
import { refuse, refused, work, type Context } from './context.ts'

export async function layer(
  context: Context,
  request: Request<'layer'>,
  attention: Attention,
): Promise<Ending<Answer<'layer'>>> {
  const [input, output] = [path.resolve(request.input), path.resolve(request.output)]
  const recipe = parseRecipe(request.recipe, 'the recipe')
  if (!recipe.ok) return refused(recipe.problem)
  if (!(await isFile(input))) return refuse('read_failed', `There is no file ${input}.`)
  if (input === output) return refuse('option_invalid', 'The output file must be another one than the input file.')
  const { method, parameters } = recipe.value
  const notes: Note[] = []
  let report: LayerReport | null = null
  const job = {
    version: 1 as const,
    threads: request.threads || availableParallelism(),
    input,
    output,
    recipe: { method, parameters },
  }
  const listener = {
    ...attention,
    onNote: (note: Note) => {
      notes.push(note)
      attention.onNote?.(note)
    },
  }
  const ending = await work(
    context,
    'layer',
    job,
    listener,
    { name: 'layer' },
    {
      onEvent: (event) => {
        if (event.event === 'layer') report = layerReportSchema.parse(event)
      },
    },
  )
  if (ending.kind !== 'finished') return ending
  if (report === null) return refuse('worker_crashed', 'The worker finished without reporting on the layer.')
  return { kind: 'finished', value: { output, layer: report, warnings: notes } }
}

const isFile = (file: string) =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  )
