// Everything that a run would look at before it starts, all of it at once: what is in order and what is not.
import path from 'node:path'
import type { Attention, Ending, Request } from '../contract/api.ts'
import { sourceName } from '../contract/command-line.ts'
import { failure, type Problem } from '../contract/errors.ts'
import type { Readiness } from '../contract/forecast.ts'
import { cardTitle, isCard, processor, type Placement } from '../contract/devices.ts'
import { amount, count, size } from '../contract/quantities.ts'
import type { Model } from '../contract/records.ts'
import type { History } from '../history/history.ts'
import { runsFolder } from '../history/place.ts'
import * as checks from './checks.ts'
import type { Context } from './context.ts'
import { originalIn } from './library.ts'
import { place } from './placement.ts'
import { countReader, type TokenCount } from './token-counts.ts'

export async function readiness(
  context: Context,
  request: Request<'preflight'>,
  attention: Attention,
): Promise<Ending<Readiness[]>> {
  const recipe = checks.checkRecipe(request.recipe)
  const found = await originalIn(context, request.model, attention)
  if (found.kind === 'cancelled' || found.kind === 'stopped') return found
  const list: Readiness[] = [modelReadiness(found)]
  if (!recipe.ok) list.push(look('recipe', 'cannot be used', recipe.problem))
  const history = await context.history?.()
  const placed =
    found.kind === 'finished' && recipe.ok
      ? await place(context, request.device, recipe.value, found.value, attention)
      : null
  const on = placed?.kind === 'finished' ? placed.value.placement : null
  if (found.kind === 'finished' && recipe.ok) {
    const model = found.value
    const matched = checks.checkModel(recipe.value, model)
    if (!matched.ok) list.push(look('recipe', 'cannot be used', matched.problem))
    const resolved = checks.resolve(recipe.value, model.path, model)
    const texts = await textReadiness(context.root, resolved, model)
    const out = history?.ok ? runsFolder(history.value.data) : path.resolve('.')
    list.push(...texts.list, ...(await machineReadiness(context, out, { recipe: resolved, model, on }, texts)))
  }
  if (placed?.kind === 'failed') list.push(look('device', 'cannot be used', placed.problem))
  else list.push(deviceReadiness(history?.ok ? history.value : null, on))
  return { kind: 'finished', value: list }
}

const look = (name: string, state: string, problem: Problem | null = null): Readiness => ({
  name,
  ok: problem === null,
  state,
  problem,
})

function modelReadiness(found: Awaited<ReturnType<typeof originalIn>>): Readiness {
  if (found.kind === 'failed') return look('model', 'cannot be quantized', found.problem)
  if (found.kind !== 'finished') return look('model', 'was not looked at')
  const { architecture, parameters, dtype } = found.value
  return look('model', `${architecture}, ${amount(parameters)} parameters in ${dtype}`)
}

async function textReadiness(
  root: string,
  { calibration, evaluations }: checks.ResolvedRecipe,
  model: Model,
): Promise<{ list: Readiness[] } & TextTokens> {
  const read = countReader(root)
  const list: Readiness[] = []
  const add = (name: string, found: Awaited<ReturnType<typeof read>>, use: (count: TokenCount) => string): number => {
    list.push(found.ok ? look(name, use(found.value)) : look(name, 'cannot be used', found.problem))
    return found.ok ? found.value.tokens.tokens : 0
  }
  let calibrating = 0
  if (calibration !== null) {
    const { sequences, length } = calibration
    calibrating = add('calibration text', await checks.readCalibration(read, calibration, model), (found) => {
      return `${tokensOf(found)}; ${count(sequences)} ${sequences === 1 ? 'sequence' : 'sequences'} of ${count(length)} are used`
    })
  }
  const measured: number[] = []
  for (const one of evaluations) {
    const tokens = add('evaluation text', await checks.readEvaluation(read, one, model), (found) => {
      const windows = Math.floor(found.tokens.tokens / one.window)
      return `${tokensOf(found)}: ${count(windows)} ${windows === 1 ? 'window' : 'windows'} of ${count(one.window)}, protocol ${one.protocol}`
    })
    measured.push(tokens)
  }
  return { list, calibrating, measured }
}

/** Tokens of the texts that could be read. */
type TextTokens = { calibrating: number; measured: readonly number[] }

const tokensOf = ({ tokens, about }: TokenCount): string =>
  `${sourceName(tokens.source)}: ${about ? 'about ' : ''}${count(tokens.tokens)} tokens`

async function machineReadiness(
  context: Context,
  out: string,
  { recipe, model, on }: { recipe: checks.ResolvedRecipe; model: Model; on: Placement | null },
  { calibrating, measured }: TextTokens,
): Promise<Readiness[]> {
  const plan = on && isCard(on.device) ? on.plan : null
  const memory = await checks.lookAtMemory(context, recipe, model, measured, plan)
  const tokens = measured.reduce((sum, one) => sum + one, calibrating)
  const disk = await checks.lookAtDisk(context, out, recipe, model, memory.inFile, tokens)
  return [
    look('memory', `needs ${size(memory.needed)} of ${size(memory.available)}`, checks.memoryProblem(memory)),
    look('disk', `needs ${size(disk.needed)} of ${size(disk.free)}`, checks.diskProblem(out, disk)),
  ]
}

/** A device that is busy keeps no run from being queued. */
function deviceReadiness(history: History | null, on: Placement | null): Readiness {
  const device = on?.device ?? processor
  if (on && isCard(device) && on.plan?.fits === false) return look('device', 'too small', tooSmall(on, on.plan))
  const found = history?.write(() => {
    history.leases.sweep()
    const waiting = history.queue.list().filter(({ run_id }) => history.runs.get(run_id)?.device === device)
    return { busy: history.leases.onDevice(device), waiting: waiting.length }
  })
  if (!found?.ok) {
    const problem =
      found?.problem ?? failure('history_unavailable', 'There is no history here, so there is no queue.').problem
    return look('device', 'not known', problem)
  }
  const { busy, waiting } = found.value
  const before = waiting + (busy === null ? 0 : 1)
  const name = on && isCard(device) ? cardTitle({ id: device, name: on.name }) : device
  if (before === 0) return look('device', `${name} is free`)
  return look('device', `${name} is busy: the run waits for ${before === 1 ? 'one other' : `${before} others`}`)
}

function tooSmall({ device, name }: Placement, plan: NonNullable<Placement['plan']>): Problem {
  const needs = `The run needs ${size(plan.needed_bytes)} of ${cardTitle({ id: device, name })}, which has ${size(plan.available_bytes)} to give`
  return failure('device_memory_short', `${needs}${plan.advice === null ? '.' : `: ${plan.advice}`}`).problem
}
