// The cards of this machine, as its CUDA worker finds them, and which of them is at work.
import type { Answer, Ending } from '../contract/api.ts'
import type { Devices } from '../contract/devices.ts'
import { noCudaWorker } from '../contract/devices.ts'
import { standardSettings, type Settings } from '../contract/settings.ts'
import type { WorkerDevice } from '../contract/worker.ts'
import { isCard, type Card, type Precision } from '../contract/devices.ts'
import { work, type Context } from './context.ts'
import { readSettings } from './settings.ts'

export type FoundCards = Omit<Devices, 'cpu'>

/** Milliseconds that an answer counts: what is free of a card changes, asking opens a driver. */
const fresh = 3000
type Kept = { at: number; under: string; found: Promise<FoundCards> }
const kept = new WeakMap<object, Kept>()

const none = (reason: string): FoundCards => ({ devices: [], driver: null, built: null, reason, libraries: [] })

export async function settingsOf(context: Context): Promise<Settings> {
  const history = await context.history?.()
  if (!history?.ok) return standardSettings
  const read = history.value.read(() => readSettings(history.value))
  return read.ok ? read.value : standardSettings
}

/** Never a failure: no driver, or no worker for it, is a reason why there are none. */
export async function findCards(context: Context): Promise<FoundCards> {
  const program = context.cuda
  if (!program?.ok) return none(program?.problem.message ?? noCudaWorker)
  const [{ deviceLibraries: libraries }, busy] = await Promise.all([settingsOf(context), busyDevices(context)])
  // With the end of a run a card has memory again.
  const under = JSON.stringify([libraries, [...busy]])
  const before = kept.get(program)
  if (before && before.under === under && performance.now() - before.at < fresh) return before.found
  const found = askWorker(context, libraries)
  kept.set(program, { at: performance.now(), under, found })
  return found
}

/** What was free of the cards is no more. */
export function forgetCards({ cuda }: Context): void {
  if (cuda) kept.delete(cuda)
}

/** Nobody cancels it: others wait for the same answer. */
async function askWorker(context: Context, libraries: string): Promise<FoundCards> {
  const job = { version: 1 as const, threads: 1, ...(libraries === '' ? {} : { device_libraries: libraries }) }
  const ending = await work(context, 'devices', job, {}, null, { program: context.cuda! })
  if (ending.kind !== 'finished') {
    return none(ending.kind === 'failed' ? ending.problem.message : 'The CUDA worker gave no answer.')
  }
  const { devices, driver, built, reason, libraries: used } = ending.value
  const said = devices.length > 0 ? null : (reason ?? 'The CUDA worker found no card.')
  return { devices, driver, built, reason: said, libraries: used }
}

/** The run at work on each device, by the leases of the history. */
export async function busyDevices(context: Context): Promise<ReadonlyMap<string, number>> {
  const history = await context.history?.()
  if (!history?.ok) return new Map()
  const { leases } = history.value
  const found = history.value.write(() => {
    leases.sweep()
    return leases.list().flatMap(({ device, run_id }) => (device === null ? [] : [[device, run_id] as const]))
  })
  return new Map(found.ok ? found.value : [])
}

export async function cards(context: Context): Promise<Ending<Answer<'cards'>>> {
  const [found, busy] = await Promise.all([findCards(context), busyDevices(context)])
  const devices = found.devices.map((card) => ({ ...card, run: busy.get(card.id) ?? null }))
  return { kind: 'finished', value: { ...found, devices, worker: context.cuda?.ok ? context.cuda.value : null } }
}

/** Of a card's memory, what the driver and a screen may have. */
const others = 1 / 16

/**
 * Bytes of a card that a run may have when it begins: of a card at work nearly all, since what is taken now goes with the
 * run that has it. Whoever begins there looks again.
 */
export function availableOf(
  { uuid, memory_bytes: all, free_bytes: free }: Card,
  { deviceMemory }: Settings,
  atWork = false,
): number {
  return Math.min(atWork ? Math.max(free, Math.floor(all * (1 - others))) : free, deviceMemory[uuid] ?? Infinity)
}

/** What a job says of its device: nothing for the processor. */
export async function deviceFields(context: Context, device: string, precision?: Precision): Promise<WorkerDevice> {
  if (!isCard(device)) return {}
  const settings = await settingsOf(context)
  const card = (await findCards(context)).devices.find(({ id }) => id === device)
  const limit = card && settings.deviceMemory[card.uuid]
  return {
    device,
    precision: precision ?? 'f32',
    ...(settings.deviceLibraries === '' ? {} : { device_libraries: settings.deviceLibraries }),
    ...(limit === undefined ? {} : { device_memory_limit: limit }),
  }
}
