// The layer lab: one model is held open, one of its linears lies on the table, and each slot has the trial that was asked last.
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Attention, Ending } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { trialRequestSchema, type LabLinear, type LabPlace, type Trial, type TrialRequest } from '../contract/lab.ts'
import type { PackedOwner } from '../contract/pictures.ts'
import type { Note } from '../contract/records.ts'
import { hessiansFolder } from '../history/place.ts'
import type { RunPlaces } from '../pictures/open-run.ts'
import type { PictureBook } from '../pictures/pictures.ts'
import { checkRecipe } from '../runs/checks.ts'
import { refuse, refused, type Context } from '../runs/context.ts'
import { pruneHessians } from './hessian-files.ts'
import { openBench, type Bench } from './open-bench.ts'
import { Slots } from './slots.ts'
import { makeTrialFolder } from './trial-files.ts'

export type Lab = {
  open: (place: LabPlace, attention: Attention) => Promise<Ending<LabLinear>>
  try: (request: TrialRequest, attention: Attention) => Promise<Ending<Trial>>
  /** Where a trial's pictures come from. */
  places: (owner: PackedOwner) => Result<RunPlaces>
  /** For a run that begins: the lab lets go of its model where memory is short. What it is asked later opens it again. */
  makeRoom: () => Promise<void>
  close: () => Promise<void>
}

export type LabSurroundings = {
  pictures: Pick<PictureBook, 'linear' | 'scale' | 'forget'>
  /** Whether a run is at work. */
  busy: () => Promise<boolean>
  /** Milliseconds that the model stays open without being asked. */
  keep?: number
}

/** A model and a text; then also a linear: as keys. */
const benchKey = ({ model, calibration }: Omit<LabPlace, 'linear'>) =>
  JSON.stringify([path.resolve(model), calibration])
const placeKey = (place: LabPlace) => `${benchKey(place)} ${place.linear}`

type Opening = { key: string; ended: Promise<Ending<LabLinear>>; abort: AbortController; over: boolean }

const usualKeep = 5 * 60_000
/** Of the memory that is there, what an idle lab may hold beside a run. */
const shareBesideRun = 0.1

const beside: Note = { code: 'beside_run', message: 'A run is at work: trials take longer beside it.' }
const cancelled = { kind: 'cancelled' } as const
const unwritten = (error: unknown) =>
  refuse('write_failed', 'The lab cannot write to the folder for temporary files.', String(error))

export function openLab(context: Context, { pictures, busy, keep = usualKeep }: LabSurroundings): Lab {
  let folder: Promise<string> | null = null
  let bench: { key: string; opened: Bench } | null = null
  let opening: Opening | null = null
  let resident = 0
  let idle: NodeJS.Timeout | undefined
  const trials = new Map<PackedOwner, RunPlaces>()
  const slots = new Slots(async (owner) => {
    trials.delete(owner)
    await pictures.forget(owner)
    await rm(path.join(await trialFolder(), owner), { recursive: true, force: true })
  })
  const trialFolder = () =>
    (folder ??= makeTrialFolder().catch((error: unknown) => {
      folder = null
      throw error
    }))

  const rest = () => {
    clearTimeout(idle)
    idle = setTimeout(() => void letGo(), keep).unref()
  }

  /** The worker ends; trials stay. */
  async function letGo(): Promise<void> {
    clearTimeout(idle)
    opening?.abort.abort()
    await opening?.ended
    opening = null
    const held = bench
    bench = null
    await held?.opened.session.close()
  }

  async function benchFor(place: LabPlace, attention: Attention): Promise<Ending<Bench>> {
    const key = benchKey(place)
    if (bench?.key === key) return { kind: 'finished', value: bench.opened }
    const held = bench
    bench = null
    await held?.opened.session.close()
    const opened = await openBench(context, place, await trialFolder(), attention)
    if (opened.kind !== 'finished') return opened
    const mine = { key, opened: opened.value }
    bench = mine
    void opened.value.session.ended.then(() => {
      if (bench !== mine) return
      bench = null
      opening = null
    })
    return opened
  }

  async function put(place: LabPlace, attention: Attention): Promise<Ending<LabLinear>> {
    const began = performance.now()
    const opened = await benchFor(place, attention)
    if (opened.kind !== 'finished') return opened
    const { session } = opened.value
    session.onProgress = (progress) => attention.onEvent?.(progress, { name: 'lab' })
    const ending = await session.put(place.linear, attention.cancel)
    if (ending.kind !== 'finished') return ending
    const { rows, columns, weights, tokens, at_hand, resident_bytes } = ending.value
    resident = resident_bytes
    if (!at_hand) await tidy()
    const seconds = (performance.now() - began) / 1000
    return { kind: 'finished', value: { rows, columns, weights, tokens, seconds } }
  }

  async function tidy(): Promise<void> {
    const history = await context.history?.()
    if (!history?.ok) return
    const { data } = history.value
    await pruneHessians(hessiansFolder(data), await context.machine.freeDisk(data))
  }

  /** Calls for the same linear wait for one opening; one for another linear ends it. */
  function open(place: LabPlace, attention: Attention): Promise<Ending<LabLinear>> {
    const key = placeKey(place)
    if (opening?.key === key) {
      if (!opening.over) return opening.ended
      rest()
      return opening.ended.then((ending) =>
        ending.kind === 'finished' ? { ...ending, value: { ...ending.value, seconds: 0 } } : ending,
      )
    }
    const before = opening
    before?.abort.abort()
    const abort = new AbortController()
    const all = [abort.signal, attention.cancel].filter((signal) => signal !== undefined)
    const ended = Promise.resolve(before?.ended).then(() =>
      put(place, { ...attention, cancel: AbortSignal.any(all) }).catch(unwritten),
    )
    const mine: Opening = { key, ended, abort, over: false }
    opening = mine
    void ended.then((ending) => {
      mine.over = true
      if (ending.kind !== 'finished' && opening === mine) opening = null
      rest()
    })
    return ended
  }

  async function tryRecipe(asked: TrialRequest, attention: Attention): Promise<Ending<Trial>> {
    const { slot, method, parameters, ...place } = trialRequestSchema.parse(asked)
    const turn = slots.begin(slot, attention.cancel)
    try {
      const recipe = checkRecipe({ signum_recipe: 1, method, parameters, calibration: place.calibration })
      if (!recipe.ok) return refused(recipe.problem)
      const opened = await open(place, { ...attention, cancel: undefined })
      if (turn.signal.aborted) return cancelled
      if (opened.kind !== 'finished') return opened
      const held = bench?.opened
      if (held === undefined) return cancelled
      const { name: owner, trial } = turn
      const output = path.join(await trialFolder(), owner)
      const chosen = { method: recipe.value.method, parameters: recipe.value.parameters }
      const tried = await held.session.try(chosen, output, turn.signal)
      rest()
      if (tried.kind !== 'finished') return tried
      const { report, quantized, levels, warnings, resident_bytes } = tried.value
      resident = resident_bytes
      trials.set(owner, { packed: output, model: held.model })
      const linear = await pictures.linear(owner, place.linear)
      if (!linear.ok) return refused(linear.problem)
      const scale = await pictures.scale(owner, place.linear)
      if (!scale.ok) return refused(scale.problem)
      if (!turn.keep()) return cancelled
      return {
        kind: 'finished',
        value: {
          trial,
          report,
          linear: linear.value,
          scale: scale.value,
          quantized,
          levels: levels.filter((level) => level !== null),
          warnings: (await busy()) ? [beside, ...warnings] : warnings,
        },
      }
    } finally {
      await turn.end()
    }
  }

  return {
    open,
    try: tryRecipe,
    places(owner) {
      const found = trials.get(owner)
      return found ? success(found) : failure('run_unknown', 'This trial is over: the lab has a newer one.')
    },
    async makeRoom() {
      const short = resident > shareBesideRun * (await context.machine.availableMemory())
      if (bench !== null && short) await letGo()
    },
    async close() {
      slots.cancel()
      await letGo()
      await slots.clear()
      if (folder !== null) await rm(await folder, { recursive: true, force: true })
      folder = null
    },
  }
}
