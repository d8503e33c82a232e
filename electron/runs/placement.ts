// Where a run computes: on the device that was asked for, or, left to Signum, on the card with the most free memory that the
// forecast fits on, else on the processor; and why there.
import { availableParallelism } from 'node:os'
import type { Answer, Attention, Ending, Request } from '../contract/api.ts'
import {
  automatic,
  cardTitle,
  isCard,
  processor,
  type Card,
  type DevicePlan,
  type Placement,
} from '../contract/devices.ts'
import { failure, type Problem } from '../contract/errors.ts'
import type { RunRow } from '../contract/history.ts'
import { namedTreatment } from '../contract/overrides.ts'
import { size } from '../contract/quantities.ts'
import { parseRecipe, type Recipe } from '../contract/recipe.ts'
import type { Model } from '../contract/records.ts'
import type { Jobs } from '../contract/worker.ts'
import { availableOf, busyDevices, findCards, settingsOf } from './cards.ts'
import { resolve } from './checks.ts'
import { refused, work, type Context } from './context.ts'
import { originalIn } from './library.ts'
import { activationLimit } from './needs.ts'

type Fitted = { card: Card; plan: DevicePlan; available: number }

/** Devices that a run left to Signum could begin on, the best one first; `why`: a sentence for the run's record. */
export type Candidates = { devices: readonly string[]; why: string | null }

/** A device, and those that would do as well in its place: cards on which the run fits, the best one first. */
export type Placed = { placement: Placement; candidates: string[] }

export async function placement(
  context: Context,
  request: Request<'placement'>,
  attention: Attention,
): Promise<Ending<Answer<'placement'>>> {
  const recipe = parseRecipe(request.recipe, 'the recipe')
  if (!recipe.ok) return refused(recipe.problem)
  const model = await originalIn(context, request.model, attention)
  if (model.kind !== 'finished') return model
  const placed = await place(context, request.device, recipe.value, model.value, attention)
  return placed.kind === 'finished' ? { kind: 'finished', value: placed.value.placement } : placed
}

const onProcessor = (reason: string, plan: Placement['plan'] = null): Placed => ({
  placement: { device: processor, name: `${availableParallelism()} threads`, reason, plan },
  candidates: [processor],
})

/** `wish` undefined: as the settings say. A card that is not there is a failure, one that is too small is not: the run says so. */
export async function place(
  context: Context,
  wish: string | undefined,
  recipe: Recipe,
  model: Model,
  attention: Attention,
): Promise<Ending<Placed>> {
  const settings = await settingsOf(context)
  const device = wish ?? settings.device
  if (device === processor) return { kind: 'finished', value: onProcessor('As chosen.') }
  const [{ devices, reason }, busy] = await Promise.all([findCards(context), busyDevices(context)])
  const fitOn = (card: Card) => {
    const available = availableOf(card, settings, busy.has(card.id))
    return fit(context, { card, available }, recipe, model, attention)
  }
  if (isCard(device)) {
    const card = devices.find(({ id }) => id === device)
    if (card === undefined) return refused(deviceMissing(device, devices, reason).problem)
    const fitted = await fitOn(card)
    if (!('plan' in fitted)) return fitted
    const run = busy.get(device)
    const why = run === undefined ? 'As chosen.' : `As chosen: it waits for run ${run}, which is at work there.`
    return { kind: 'finished', value: { placement: onCard(fitted, why), candidates: [device] } }
  }
  if (devices.length === 0) return { kind: 'finished', value: onProcessor(reason ?? 'There is no card.') }
  const all: Fitted[] = []
  for (const card of devices) {
    const fitted = await fitOn(card)
    if (!('plan' in fitted)) return fitted
    all.push(fitted)
  }
  return { kind: 'finished', value: choose(all, (id) => busy.get(id)) }
}

/** Of all cards, at least one. A run waits for a card that it fits on rather than begin on the processor, where it takes far longer. */
export function choose(all: readonly Fitted[], runOn: (id: string) => number | undefined): Placed {
  const busy = ({ card }: Fitted) => runOn(card.id) !== undefined
  const ordered = all.toSorted((a, b) => Number(busy(a)) - Number(busy(b)) || b.available - a.available)
  const fitting = ordered.filter(({ plan }) => plan.fits)
  const [best] = fitting
  if (best === undefined) {
    const most = all.reduce((one, other) => (other.available > one.available ? other : one))
    const { plan, card, available } = most
    const short = `It needs ${size(plan.needed_bytes)} of a card, and ${cardTitle(card)} has ${size(available)} to give`
    return onProcessor(`${short}: so it runs on the processor.`, planOf(most))
  }
  const why = busy(best)
    ? `It fits on this card, and waits for run ${runOn(best.card.id)}, which is at work there.`
    : fitting.length > 1
      ? 'It fits on this card, which has the most free memory.'
      : 'It fits on this card.'
  return { placement: onCard(best, why), candidates: fitting.map(({ card }) => card.id) }
}

const planOf = ({ card, plan, available }: Fitted): Placement['plan'] => ({
  ...plan,
  card: cardTitle(card),
  available_bytes: available,
})

const onCard = (fitted: Fitted, reason: string): Placement => ({
  device: fitted.card.id,
  name: fitted.card.name,
  reason,
  plan: planOf(fitted),
})

export function deviceMissing(
  device: string,
  there: readonly Card[],
  reason: string | null,
): { ok: false; problem: Problem } {
  const instead =
    there.length === 0 ? '' : ` Here ${there.length === 1 ? 'is' : 'are'} ${there.map(cardTitle).join(', ')}.`
  return failure('device_missing', `There is no ${device}.${instead}${reason === null ? '' : ` ${reason}`}`)
}

/** Plans that were worked out already: a model's shape and a recipe have one. */
const plans = new Map<string, DevicePlan>()
const most = 200

async function fit(
  context: Context,
  { card, available }: Pick<Fitted, 'card' | 'available'>,
  asked: Recipe,
  model: Model,
  attention: Attention,
): Promise<Ending<never> | Fitted> {
  const recipe = resolve(asked, model.path, model)
  const memory = await context.machine.availableMemory()
  const job: Jobs['device-plan'] = {
    version: 1,
    threads: 1,
    model: model.path,
    recipe: namedTreatment(
      recipe,
      model.linears.map(({ name }) => name),
    ),
    calibration: recipe.calibration && {
      sequences: recipe.calibration.sequences,
      length: recipe.calibration.length,
    },
    // What is free of either changes with every look; a plan in steps of 16 MiB is the same for a while.
    activation_memory_bytes: inSteps(activationLimit(memory)),
    memory_bytes: Math.max(1, inSteps(available)),
  }
  const key = JSON.stringify([job, model.bytes])
  const known = plans.get(key)
  if (known) return { card, plan: known, available }
  const { cancel } = attention
  const planned = await work(
    context,
    'device-plan',
    job,
    { cancel },
    null,
    context.cuda ? { program: context.cuda } : {},
  )
  if (planned.kind !== 'finished') return planned
  if (plans.size >= most) plans.clear()
  plans.set(key, planned.value)
  return { card, plan: planned.value, available }
}

const step = 16 * 2 ** 20
const inSteps = (bytes: number): number => Math.floor(bytes / step) * step

/** For work that is no run: the device that was asked for, or the card with the most free memory where `needed` bytes are. */
export async function placeWork(
  context: Context,
  wish: string | undefined,
  needed: number,
  attention: Attention,
): Promise<Ending<string>> {
  const settings = await settingsOf(context)
  const device = wish ?? settings.device
  if (device === processor) return { kind: 'finished', value: processor }
  const [{ devices, reason }, busy] = await Promise.all([findCards(context), busyDevices(context)])
  const [best] = isCard(device)
    ? devices.filter(({ id }) => id === device)
    : devices
        .filter((card) => !busy.has(card.id) && availableOf(card, settings) >= needed)
        .toSorted((a, b) => availableOf(b, settings) - availableOf(a, settings))
  if (best === undefined && isCard(device)) return refused(deviceMissing(device, devices, reason).problem)
  if (best !== undefined) attention.onNote?.({ code: 'placement', message: `On ${cardTitle(best)}.` })
  return { kind: 'finished', value: best?.id ?? processor }
}

/** For the queue, which begins on the first of these that is free. What keeps a run from being placed, the run says itself. */
export async function candidatesOf(context: Context, { recipe: stored }: RunRow): Promise<Candidates> {
  const none = { devices: [processor], why: null }
  const recipe = parseRecipe(stored, 'the recipe')
  if (!recipe.ok || recipe.value.model === undefined) return none
  const model = await originalIn(context, recipe.value.model, {})
  if (model.kind !== 'finished') return none
  const placed = await place(context, automatic, recipe.value, model.value, {})
  if (placed.kind !== 'finished') return none
  const { placement, candidates: devices } = placed.value
  if (isCard(placement.device)) return { devices, why: 'Left to Signum: it fits there.' }
  // Silence where nobody could have thought of a card.
  return { devices, why: placement.plan === null ? null : placement.reason }
}
