// A run's two models, or a trial's and the one that it was made from, open. Several requests use them at once; they are closed when the last one is done.
import path from 'node:path'
import { readdir } from 'node:fs/promises'
import type { Problem, Result } from '../contract/errors.ts'
import type { PackedOwner } from '../contract/pictures.ts'
import { fileError, PackedError } from '../packed/errors.ts'
import { openPackedModel, type PackedModel } from '../packed/model.ts'
import { requireInside } from './inside.ts'
import { openOriginal, type Original } from './original.ts'

/** Where a run's packed model lies, what it learned of its layers, and the model that it was made from. */
export type RunPlaces = { packed: string; diagnostics?: string; model: string | null }
export type FindRun = (id: PackedOwner) => Promise<Result<RunPlaces>>

export interface OpenRun {
  readonly id: PackedOwner
  readonly packed: PackedModel
  /** Or why there is none. */
  readonly original: Original | Problem
  /** The folder with the diagonals of its Hessians; it may not be there. */
  readonly diagnostics: string | null
  /** Throws once the run is forgotten: nobody waits for what is still being computed from it. */
  check(): void
}

export const hasOriginal = (run: OpenRun): run is OpenRun & { original: Original } => 'rows' in run.original

/** `Run 7`, `Trial 3`. */
export const ownerName = (owner: PackedOwner): string =>
  typeof owner === 'number' ? `Run ${owner}` : `Trial ${owner.slice('trial-'.length)}`

interface Entry {
  opened: Promise<OpenRun>
  users: number
  gone: boolean
}

export interface OpenRuns {
  use<T>(id: PackedOwner, work: (run: OpenRun) => Promise<T>): Promise<T>
  /** Closes the run, once its users are done. */
  forget(id: PackedOwner): Promise<void>
  close(): Promise<void>
}

/** Keeps the last `most` runs open: a few, and a lab full of trials. */
export function holdRuns(find: FindRun, most = 10): OpenRuns {
  const entries = new Map<PackedOwner, Entry>()
  const closing = new Map<Entry, () => void>()

  const end = async (entry: Entry) => {
    const run = await entry.opened.catch(() => null)
    await run?.packed.close()
    if (run && hasOriginal(run)) await run.original.close()
    closing.get(entry)?.()
    closing.delete(entry)
  }
  const retire = (id: PackedOwner, entry: Entry): Promise<void> => {
    entries.delete(id)
    entry.gone = true
    if (entry.users === 0) return end(entry)
    return new Promise((done) => closing.set(entry, done))
  }
  const enter = (id: PackedOwner): Entry => {
    const known = entries.get(id)
    const entry = known ?? ({ users: 0, gone: false } as Entry)
    if (!known) entry.opened = openRun(id, find, () => entry.gone)
    // Last in the map is used last.
    entries.delete(id)
    entries.set(id, entry)
    return entry
  }
  return {
    async use(id, work) {
      const entry = enter(id)
      entry.users += 1
      try {
        const run = await entry.opened.catch((error: unknown) => {
          // What could not be opened is looked for again next time.
          if (entries.get(id) === entry) entries.delete(id)
          throw error
        })
        for (const [old, other] of entries) if (entries.size > most && other.users === 0) await retire(old, other)
        return await work(run)
      } finally {
        entry.users -= 1
        if (entry.gone && entry.users === 0) await end(entry)
      }
    },
    async forget(id) {
      const entry = entries.get(id)
      if (entry) await retire(id, entry)
    },
    async close() {
      await Promise.all([...entries].map(([id, entry]) => retire(id, entry)))
    },
  }
}

/** A refusal of the one who knows the runs, thrown so that it ends like every other failure. */
export class RunRefused extends Error {
  override readonly name = 'RunRefused'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

async function openRun(id: PackedOwner, find: FindRun, gone: () => boolean): Promise<OpenRun> {
  const places = await find(id)
  if (!places.ok) throw new RunRefused(places.problem)
  const { packed: folder, diagnostics = null, model } = places.value
  for (const name of await shardsIn(folder)) await requireInside(path.join(folder, name), [folder])
  const packed = remembering(await openPackedModel(folder))
  const original = await openOriginalOf(model)
  const check = () => {
    if (gone()) throw new PackedError('read_failed', `${ownerName(id)} was closed.`)
  }
  return { id, packed, original, diagnostics, check }
}

const smallBytes = 2 ** 16
const mostSmall = 64

/** Small tensors that every slice of rows needs whole, such as orders and column scales, are read once for many slices. */
function remembering(packed: PackedModel): PackedModel {
  const small = new Map<string, Promise<Uint8Array>>()
  return {
    ...packed,
    read(name, ...range) {
      const { bytes } = packed.tensors.get(name) ?? { bytes: Infinity }
      if (range.length > 0 || bytes > smallBytes) return packed.read(name, ...range)
      const known = small.get(name) ?? packed.read(name)
      // Last in the map is used last. What could not be read is tried anew.
      small.delete(name)
      small.set(name, known)
      known.catch(() => small.delete(name))
      for (const old of small.keys()) if (small.size > mostSmall) small.delete(old)
      return known
    },
  }
}

async function shardsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw fileError(folder, cause)
  })
  return names.filter((name) => name.endsWith('.safetensors') || name.endsWith('.safetensors.index.json'))
}

async function openOriginalOf(model: string | null): Promise<Original | Problem> {
  if (model === null)
    return { code: 'read_failed', message: 'Nobody knows any more which model this run was made from.' }
  try {
    return await openOriginal(model)
  } catch (error) {
    if (error instanceof PackedError) return { code: error.code, message: error.message }
    throw error
  }
}
