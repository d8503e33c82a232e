// The first part of a run: everything is read and checked, nothing is written. What comes out can be started.
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Attention, Ending, Request } from '../contract/api.ts'
import { automatic, cardTitle, isCard, type DevicePlan, type Precision } from '../contract/devices.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Model, RunReport } from '../contract/records.ts'
import type { WorkerDevice } from '../contract/worker.ts'
import { deviceFields } from './cards.ts'
import * as checks from './checks.ts'
import type { ResolvedRecipe } from './checks.ts'
import { refused, type Context } from './context.ts'
import { readFolder, type BegunOn } from './folder.ts'
import { place } from './placement.ts'
import * as preflight from './preflight.ts'
import { sourceReader, type SourceTokens } from './source.ts'

export type PreparedRun = {
  out: string
  threads: number
  model: Model
  recipe: ResolvedRecipe
  calibration: SourceTokens | null
  evaluations: SourceTokens[]
  activationLimit: number
  /** Where it computes, and what the worker is told of it. */
  device: { id: string; name: string | null; precision: Precision | null; fields: WorkerDevice }
  /** Why it is not on a card, where it might have been; for the run's record. */
  note: string | null
  /** The folder is new or empty. */
  fresh: boolean
  /** The worker has begun here before. */
  resume: boolean
  /** It may go on on another device than it was on. */
  elsewhere: boolean
  /** Of a run that is finished. */
  report: RunReport | null
}

export async function prepare(
  context: Context,
  request: Request<'quantize'>,
  attention: Attention,
): Promise<Ending<PreparedRun>> {
  const out = path.resolve(request.out)
  const resume = request.resume ?? false
  const state = await readFolder(out)
  const occupied = preflight.checkFolder(out, state, resume)
  if (occupied) return refused(occupied)
  const chosen = choose(request, state.kind === 'run' ? state.recipe : null)
  if (!chosen.ok) return refused(chosen.problem)
  const { folder, recipe: asked } = chosen.value

  const inspected = await checks.inspectOriginal(context, folder, attention)
  if (inspected.kind !== 'finished') return inspected
  const model = inspected.value
  const matched = checks.checkModel(asked, model)
  if (!matched.ok) return refused(matched.problem)
  const recipe = checks.resolve(asked, folder, model)
  if (state.kind === 'run') {
    const different = preflight.checkSame(state.recipe, recipe)
    if (different) return refused(different)
  }
  const texts = await readTexts(context.root, recipe, model)
  if (!texts.ok) return refused(texts.problem)
  const device = await deviceOf(
    context,
    request,
    state.kind === 'run' ? state.device : null,
    { asked, model },
    attention,
  )
  if (device.kind !== 'finished') return device
  const { plan, ...on } = device.value
  const needs = await checkMachine(context, out, { recipe, model, texts: texts.value, plan }, state.kind === 'run')
  if (!needs.ok) return refused(needs.problem)
  const prepared = {
    out,
    threads: request.threads || availableParallelism(),
    model,
    recipe,
    ...texts.value,
    activationLimit: needs.value,
    ...on,
    elsewhere: request.elsewhere ?? false,
    fresh: state.kind === 'fresh',
    resume: state.kind === 'run' && state.begun,
    report: state.kind === 'run' ? state.report : null,
  }
  return { kind: 'finished', value: prepared }
}

/** As asked for; a run that was begun goes on where it was, if nobody says otherwise. */
async function deviceOf(
  context: Context,
  { device: wish, precision, why = null, elsewhere = false }: Request<'quantize'>,
  begun: BegunOn | null,
  { asked, model }: { asked: Recipe; model: Model },
  attention: Attention,
): Promise<Ending<Pick<PreparedRun, 'device' | 'note'> & { plan: DevicePlan | null }>> {
  const other = begun && !elsewhere ? preflight.checkSameDevice(begun.device, wish) : null
  if (other) return refused(other)
  const open = wish === undefined || wish === automatic
  const placed = await place(context, begun && open ? begun.device : wish, asked, model, attention)
  if (placed.kind !== 'finished') return placed
  const { device: id, name, reason, plan } = placed.value.placement
  const fields = await deviceFields(context, id, precision ?? begun?.precision)
  // Silence where nobody could have thought of a card.
  if (!isCard(id)) {
    const note = plan === null ? why : reason
    return { kind: 'finished', value: { device: { id, name: null, precision: null, fields }, note, plan: null } }
  }
  const chosen = open && !begun ? reason : (why ?? '')
  attention.onNote?.({ code: 'placement', message: `On ${cardTitle({ id, name })}. ${chosen}`.trim() })
  const device = { id, name, precision: fields.precision ?? null, fields }
  return { kind: 'finished', value: { device, note: null, plan } }
}

/** Model and recipe: those asked for, or with `resume` those of the run. */
function choose(request: Request<'quantize'>, begun: Recipe | null): Result<{ folder: string; recipe: Recipe }> {
  const given = request.recipe ?? begun
  const folder = request.model ?? given?.model
  if (!given || folder === undefined) return failure('option_invalid', 'A run needs a model and a method.')
  const recipe = checks.checkRecipe(given)
  return recipe.ok ? success({ folder: path.resolve(folder), recipe: recipe.value }) : recipe
}

type Texts = Pick<PreparedRun, 'calibration' | 'evaluations'>

async function readTexts(root: string, recipe: ResolvedRecipe, model: Model): Promise<Result<Texts>> {
  const read = sourceReader(root)
  const texts: Texts = { calibration: null, evaluations: [] }
  if (recipe.calibration !== null) {
    const calibration = await checks.readCalibration(read, recipe.calibration, model)
    if (!calibration.ok) return calibration
    texts.calibration = calibration.value
  }
  for (const one of recipe.evaluations) {
    const evaluation = await checks.readEvaluation(read, one, model)
    if (!evaluation.ok) return evaluation
    texts.evaluations.push(evaluation.value)
  }
  return success(texts)
}

type Planned = {
  recipe: ResolvedRecipe
  model: Model
  texts: Texts
  /** Of the card; null on the processor. */
  plan: DevicePlan | null
}

/** Disk and memory; what may be spent on activations when both suffice. */
async function checkMachine(
  context: Context,
  out: string,
  { recipe, model, texts, plan }: Planned,
  resumed: boolean,
): Promise<Result<number>> {
  const measured = texts.evaluations.map((text) => text.tokens.tokens)
  const memory = await checks.lookAtMemory(context, recipe, model, measured, plan)
  const short = checks.memoryProblem(memory)
  if (short) return { ok: false, problem: short }
  const { activationLimit, inFile } = memory
  // What a resumed run has written already is the worker's to know; it checks again.
  if (resumed) return success(activationLimit)
  const all = [texts.calibration, ...texts.evaluations]
  const tokens = all.reduce((total, text) => total + (text?.tokens.tokens ?? 0), 0)
  const disk = await checks.lookAtDisk(context, out, recipe, model, inFile, tokens)
  const full = checks.diskProblem(out, disk)
  return full ? { ok: false, problem: full } : success(activationLimit)
}
