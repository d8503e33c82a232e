// A model as one file for another program.
import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import type { Note } from '../contract/records.ts'
import { refuse, work, type Context } from '../runs/context.ts'
import { modelFolder } from '../runs/folder.ts'

/** A model folder (original or packed), or a run's folder, whose packed model is meant then. Nothing is overwritten. */
export async function exportModel(
  context: Context,
  request: Request<'export'>,
  attention: Attention,
): Promise<Ending<Answer<'export'>>> {
  const { format, type } = request
  const output = path.resolve(request.output)
  if (await stat(output).catch(() => null)) return refuse('option_invalid', `${output} is already there.`)
  const model = await modelFolder(path.resolve(request.model))
  const warnings: Note[] = []
  const listener = {
    ...attention,
    onNote: (note: Note) => {
      warnings.push(note)
      attention.onNote?.(note)
    },
  }
  const threads = request.threads || availableParallelism()
  const job = { version: 1, threads, model, output, format, type } as const
  const ending = await work(context, 'export', job, listener, { name: 'export' })
  if (ending.kind !== 'finished') return ending
  return { kind: 'finished', value: { model, output, ...ending.value, warnings } }
}
