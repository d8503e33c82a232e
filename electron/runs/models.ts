// The model folders below a folder, each with what the worker says of it.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Answer, Attention, Ending, FoundModel, Request } from '../contract/api.ts'
import type { Model } from '../contract/records.ts'
import { findModelFolders } from '../models/folders.ts'
import { refuse, work, type Context } from './context.ts'

export const inspect = (context: Context, request: Request<'inspect'>, attention: Attention): Promise<Ending<Model>> =>
  work(context, 'inspect', { version: 1, threads: 1, model: path.resolve(request.folder) }, attention, null)

export async function models(
  context: Context,
  request: Request<'models'>,
  attention: Attention,
): Promise<Ending<Answer<'models'>>> {
  const start = path.resolve(request.folder)
  if (!(await stat(start).catch(() => null))?.isDirectory()) {
    return refuse('read_failed', `There is no folder ${start}.`)
  }
  const all: FoundModel[] = []
  for (const { folder, name } of await findModelFolders(start)) {
    const ending = await inspect(context, { folder }, attention)
    // Without a worker, or after Ctrl-C, the other folders would fare no better.
    if (!context.worker.ok) return ending as Ending<never>
    if (ending.kind === 'cancelled' || ending.kind === 'stopped') return ending
    const failed = ending.kind === 'failed'
    all.push({ folder, name, model: failed ? null : ending.value, problem: failed ? ending.problem : null })
  }
  return { kind: 'finished', value: all }
}
