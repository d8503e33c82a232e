// The models that Signum knows: the one that came with it and those that were added, each as its folder is now.
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Answer, Attention, Ending, ModelCard, Request } from '../contract/api.ts'
import { failure, type Problem } from '../contract/errors.ts'
import type { Model } from '../contract/records.ts'
import type { History } from '../history/history.ts'
import { original } from './checks.ts'
import { endingOf, refused, type Context } from './context.ts'
import { withHistory } from './history.ts'
import { inspect, models } from './models.ts'

const bundledFolder = (root: string) => path.join(root, 'resources', 'models')

type Look = { model: Model; problem: null } | { model: null; problem: Problem }
/** What was found in a folder, as long as no file in it changes. */
const looks = new Map<string, { signature: string; look: Look }>()

export const library = (context: Context, attention: Attention): Promise<Ending<ModelCard[]>> =>
  withHistory(context, async (history) => {
    const known = history.read(() => history.models.list().filter(({ packed }) => !packed))
    if (!known.ok) return refused(known.problem)
    const rows = new Map(known.value.map((row) => [row.path, row]))
    const bundled = await bundledFolders(context.root)
    const cards: ModelCard[] = []
    for (const folder of [...bundled, ...[...rows.keys()].filter((one) => !bundled.includes(one))]) {
      const looked = await look(context, folder, attention)
      if (looked.kind !== 'finished') return looked
      const id = rows.get(folder)?.id ?? (looked.value.model ? keep(history, looked.value.model) : null)
      const name = rows.get(folder)?.name ?? path.basename(folder)
      cards.push({ id, folder, name, bundled: bundled.includes(folder), ...looked.value })
    }
    return { kind: 'finished', value: cards }
  })

export const addModels = (
  context: Context,
  request: Request<'addModels'>,
  attention: Attention,
): Promise<Ending<ModelCard[]>> =>
  withHistory(context, async (history) => {
    const found = await models(context, request, attention)
    if (found.kind !== 'finished') return found
    if (found.value.length === 0) {
      const message = `There is no model in ${request.folder}: a model folder holds config.json and its safetensors files.`
      return refused(failure('not_a_model_folder', message).problem)
    }
    const bundled = await bundledFolders(context.root)
    const cards = found.value.map(({ folder, name, model, problem }): ModelCard => {
      const packed = model?.packed ? alreadyPacked(folder) : null
      const id = model && packed === null ? keep(history, model) : null
      return { id, folder, name, bundled: bundled.includes(folder), model, problem: problem ?? packed }
    })
    return { kind: 'finished', value: cards }
  })

export const forgetModel = (context: Context, { id }: Request<'forgetModel'>): Promise<Ending<Answer<'forgetModel'>>> =>
  withHistory(context, (history) => {
    const removed = history.write(() => {
      history.models.remove(id)
      return null
    })
    return Promise.resolve(endingOf(removed))
  })

const alreadyPacked = (folder: string) =>
  failure('already_quantized', `${folder} is a packed model already: add the original.`).problem

/** Its row in the history; null when that cannot be written, which takes nothing from the card. */
function keep(history: History, model: Model): number | null {
  const seen = history.write(() => history.models.see(model))
  return seen.ok ? seen.value : null
}

async function bundledFolders(root: string): Promise<string[]> {
  const names = await readdir(bundledFolder(root)).catch(() => [])
  return names.toSorted().map((name) => path.join(bundledFolder(root), name))
}

async function look(context: Context, folder: string, attention: Attention): Promise<Ending<Look>> {
  const signature = await signatureOf(folder)
  const before = looks.get(folder)
  if (before?.signature === signature) return { kind: 'finished', value: before.look }
  const ending = await inspect(context, { folder }, attention)
  // Without a worker the folder is not to blame.
  if (!context.worker.ok || ending.kind === 'cancelled' || ending.kind === 'stopped') return ending as Ending<never>
  const value: Look =
    ending.kind === 'finished' ? { model: ending.value, problem: null } : { model: null, problem: ending.problem }
  looks.set(folder, { signature, look: value })
  return { kind: 'finished', value }
}

/** What `inspect` says of a folder, without a worker while its files stay as they were. */
export async function knownModel(context: Context, folder: string, attention: Attention): Promise<Ending<Model>> {
  const looked = await look(context, folder, attention)
  if (looked.kind !== 'finished') return looked
  const { model, problem } = looked.value
  return model === null ? refused(problem) : { kind: 'finished', value: model }
}

/** The same of an original model: what is packed already is refused. */
export async function originalIn(context: Context, folder: string, attention: Attention): Promise<Ending<Model>> {
  const found = await knownModel(context, path.resolve(folder), attention)
  return found.kind === 'finished' ? original(found.value) : found
}

async function signatureOf(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => [])
  const files = names.toSorted().map(async (name) => {
    const found = await stat(path.join(folder, name)).catch(() => null)
    return `${name} ${found?.size} ${found?.mtimeMs}`
  })
  return (await Promise.all(files)).join('\n')
}
