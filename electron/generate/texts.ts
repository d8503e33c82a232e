// The models that write texts: opened when first asked, kept for a while so that the next text starts at once, a few at a time.
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Attention, Ending } from '../contract/api.ts'
import { processor } from '../contract/devices.ts'
import { mostOpenModels, textRequestSchema, type TextAnswer } from '../contract/generation.ts'
import { refuse, type Context } from '../runs/context.ts'
import { modelFolder } from '../runs/folder.ts'
import { openModel, type OpenModel, type Opening } from './open-model.ts'
import { writeText } from './write-text.ts'
import type { z } from 'zod'

export type TextRequest = z.output<typeof textRequestSchema>

export type Texts = {
  write: (request: z.input<typeof textRequestSchema>, attention: Attention) => Promise<Ending<TextAnswer>>
  /** Closes models in this folder, for instance before it is deleted. */
  forget: (folder: string) => Promise<void>
  /** Closes models that nobody asks just now and that are not on the processor; true where there was one. */
  leaveCards: () => Promise<boolean>
  close: () => Promise<void>
}

type Place = {
  opening: Opening
  opened: Promise<Ending<OpenModel>>
  /** Texts that are being written, or wait for the one that is. */
  users: number
  /** The last of them. */
  queue: Promise<unknown>
  idle: NodeJS.Timeout | undefined
}

/** Milliseconds that a model stays open without being asked. */
const usualKeep = 5 * 60_000

export function openTexts(context: Context, keep = usualKeep): Texts {
  const places = new Map<string, Place>()

  async function release(key: string, place: Place): Promise<void> {
    clearTimeout(place.idle)
    if (places.get(key) === place) places.delete(key)
    const opened = await place.opened
    if (opened.kind === 'finished') await opened.value.session.close()
  }

  /** The place of a model, opened where it is not; null where all places are taken by texts being written. */
  function placeFor(opening: Opening, attention: Attention): { key: string; place: Place; fresh: boolean } | null {
    const key = JSON.stringify(opening)
    const there = places.get(key)
    if (there) return { key, place: there, fresh: false }
    // In the order in which they were last used.
    const idle = [...places].find(([, { users }]) => users === 0)
    if (places.size >= mostOpenModels && idle === undefined) return null
    const room = places.size >= mostOpenModels ? release(...idle!) : Promise.resolve()
    const opened = room.then(() => openModel(context, opening, attention))
    const place: Place = { opening, opened, users: 0, queue: opened, idle: undefined }
    const gone = () => void (places.get(key) === place && places.delete(key))
    void opened.then((ending) => (ending.kind === 'finished' ? ending.value.session.ended.then(gone) : gone()))
    return { key, place, fresh: true }
  }

  async function write(asked: z.input<typeof textRequestSchema>, attention: Attention): Promise<Ending<TextAnswer>> {
    const request = textRequestSchema.parse(asked)
    const threads = request.threads || availableParallelism()
    const folder = await modelFolder(path.resolve(request.model))
    const found = placeFor({ folder, context: request.context, threads, device: request.device }, attention)
    if (found === null) {
      return refuse('generation_busy', `${mostOpenModels} models are writing already: wait for one of them.`)
    }
    const { key, place, fresh } = found
    clearTimeout(place.idle)
    place.users++
    // Last in the order now.
    places.delete(key)
    places.set(key, place)
    const written = place.queue.then(async (): Promise<Ending<TextAnswer>> => {
      if (attention.cancel?.aborted || attention.stop?.aborted) return { kind: 'cancelled' }
      const opened = await place.opened
      if (opened.kind !== 'finished') return opened
      return writeText(opened.value, request, attention, fresh ? opened.value.seconds : null)
    })
    place.queue = written.catch(() => undefined)
    try {
      return await written
    } finally {
      place.users--
      if (place.users === 0) place.idle = setTimeout(() => void release(key, place), keep).unref()
    }
  }

  return {
    write,
    async forget(folder) {
      const inside = ({ opening }: Place) => !path.relative(folder, opening.folder).startsWith('..')
      await Promise.all([...places].filter(([, place]) => inside(place)).map((one) => release(...one)))
    },
    async leaveCards() {
      const idle = [...places].filter(([, { opening, users }]) => users === 0 && opening.device !== processor)
      await Promise.all(idle.map((one) => release(...one)))
      return idle.length > 0
    },
    async close() {
      await Promise.all([...places].map((one) => release(...one)))
    },
  }
}
