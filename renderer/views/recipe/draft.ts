// The recipe while a person writes it: what they chose so far, and how one choice changes the others. Pure.
import {
  chosenBy,
  kept,
  pickPoint,
  pointOf,
  type Budget,
  type Curve,
  type Picked,
} from '../../../electron/contract/curve.ts'
import { automatic, type Precision } from '../../../electron/contract/devices.ts'
import {
  findMethod,
  methodIds,
  resolveParameters,
  unusual,
  type Method,
  type MethodId,
  type Parameters,
  type Preset,
} from '../../../electron/contract/methods.ts'
import type { ParameterValue } from '../../../electron/contract/parameters.ts'
import type { Protocol } from '../../../electron/contract/evaluation.ts'
import {
  bundledPrefix,
  needingCalibration,
  type Calibration,
  type Join,
  type Recipe,
} from '../../../electron/contract/recipe.ts'
import type { Model } from '../../../electron/contract/records.ts'
import { asStored, type TableTypes } from '../../../electron/contract/tables.ts'
import type { Treatment } from '../../../electron/contract/overrides.ts'
import { overridesOf, rowOf, type OverrideRow } from './override-rows.ts'

export type Draft = {
  /** The model's. */
  folder: string
  method: MethodId
  /** What is not as usual, by method: going to another method and back loses nothing. */
  given: Partial<Record<MethodId, Parameters>>
  /** For single linears; the first that matches decides. */
  overrides: readonly OverrideRow[]
  /** How the embedding table and the head are stored. */
  tables: TableTypes
  /** The size that was asked for; null: whatever the parameters come to. */
  budget: Budget | null
  calibration: Calibration
  /** Methods that need no calibration text can take one all the same. */
  calibrateAnyway: boolean
  /** Sources. */
  evaluations: readonly string[]
  window: number | null
  protocol: Protocol
  /** Of the texts that are measured on. */
  join: Join
  /** '' for the usual one. */
  name: string
  /** 0: as many as the machine has. */
  threads: number
  /** Where it computes: `auto`, or a device. */
  device: string
  /** Of a card's products. */
  precision: Precision
}

/** A stranger can press Start with this: text of our own, short enough for a small model and quick. */
const firstCalibration = {
  source: `${bundledPrefix}calibration-broad`,
  sampling: 'sequential',
  sequences: 32,
  seed: 0,
  join: 'raw',
} as const
const firstEvaluation = `${bundledPrefix}evaluation-tales`

export const methodOf = (id: MethodId): Method => {
  const found = findMethod(id)
  if (!found.ok) throw new Error(found.problem.message)
  return found.value
}

export function firstDraft(folder: string, model: Model, threads: number, device: string = automatic): Draft {
  return {
    folder,
    method: 'signum-rc',
    given: {},
    overrides: [],
    tables: asStored,
    budget: null,
    calibration: { ...firstCalibration, length: Math.min(256, model.context) },
    calibrateAnyway: false,
    evaluations: [firstEvaluation],
    window: null,
    protocol: 'papers',
    join: 'raw',
    name: '',
    threads,
    device,
    precision: 'f32',
  }
}

/** As a recipe says; what it leaves open is as in a first draft. */
export function draftOf(recipe: Recipe, first: Draft): Draft {
  const { method: id, calibration, evaluations } = recipe
  return {
    ...first,
    method: id,
    given: { [id]: unusual(methodOf(id), recipe.parameters) },
    overrides: recipe.overrides.map(rowOf),
    tables: { embedding_type: recipe.embedding_type, head_type: recipe.head_type },
    calibration: calibration ?? first.calibration,
    calibrateAnyway: calibration !== null,
    evaluations: evaluations.map(({ source }) => source),
    window: evaluations[0]?.window ?? null,
    protocol: evaluations[0]?.protocol ?? first.protocol,
    join: evaluations[0]?.join ?? first.join,
  }
}

/**
 * The same for another model: sequences and windows no longer than it can look, no type for a head that it does not have, and
 * no name that was meant for another.
 */
export function moved(draft: Draft | null, first: Draft, { context, tied }: Pick<Model, 'context' | 'tied'>): Draft {
  if (draft === null) return first
  const { calibration, window, tables } = draft
  const length = calibration.length === null ? null : Math.min(calibration.length, context)
  return {
    ...draft,
    folder: first.folder,
    name: '',
    tables: tied ? { ...tables, head_type: 'source' } : tables,
    calibration: { ...calibration, length },
    window: window === null ? null : Math.min(window, context),
  }
}

export function recipeOf(draft: Draft): Recipe {
  const { method, given, tables, calibration, calibrateAnyway, evaluations, window, protocol, join } = draft
  return {
    signum_recipe: 1,
    method,
    overrides: [...treatmentOf(draft).overrides],
    ...tables,
    parameters: given[method] ?? {},
    calibration: calibrateAnyway || needsText(draft) ? calibration : null,
    evaluations: evaluations.map((source) => ({ source, window, protocol, join })),
  }
}

function treatmentOf(draft: Draft): Treatment {
  const usual = { method: draft.method, parameters: parametersOf(draft) }
  return { ...usual, overrides: overridesOf(draft.overrides, usual) }
}

/** Whether the draft cannot do without a calibration text. */
export const needsText = (draft: Draft): boolean => needingCalibration(treatmentOf(draft)) !== null

/** Every parameter of the draft's method; where two of them do not go together, what was chosen beside the usual rest. */
export function parametersOf({ method: id, given }: Pick<Draft, 'method' | 'given'>): Parameters {
  const method = methodOf(id)
  const resolved = resolveParameters(method, given[id] ?? {})
  const usual = Object.fromEntries(method.parameters.map((one) => [one.key, one.default]))
  return resolved.ok ? resolved.value : { ...usual, ...given[id] }
}

/** Of every method what stays while a budget chooses the rest. */
export function fixedOf(
  { given }: Pick<Draft, 'given'>,
  curves: readonly Curve[],
): Partial<Record<MethodId, Parameters>> {
  const fixed: Partial<Record<MethodId, Parameters>> = {}
  for (const id of methodIds) {
    const curve = curves.find(({ method }) => method === id)
    const stays = curve && given[id] ? kept(given[id], curve) : {}
    if (Object.keys(stays).length > 0) fixed[id] = stays
  }
  return fixed
}

/** The draft's method with the parameters that the budget chooses. */
export function withBudget(draft: Draft, curve: Curve, budget: Budget): { draft: Draft; picked: Picked | null } {
  const picked = pickPoint(curve, budget)
  if (picked === null) return { draft: { ...draft, budget }, picked }
  const stays = kept(draft.given[draft.method] ?? {}, curve)
  const chosen = unusual(methodOf(draft.method), chosenBy(curve, picked.point))
  return { draft: { ...draft, budget, given: { ...draft.given, [draft.method]: { ...stays, ...chosen } } }, picked }
}

/** By hand. One that the budget would choose ends the budget. */
export function withParameter(draft: Draft, curve: Curve | undefined, key: string, value: ParameterValue): Draft {
  const { method } = draft
  const parameter = methodOf(method).parameters.find((one) => one.key === key)
  const all = { ...draft.given[method], [key]: value }
  const mine = Object.fromEntries(Object.entries(all).filter(([one]) => one !== key || value !== parameter?.default))
  const budget = curve?.chooses.includes(key) ? null : draft.budget
  return { ...draft, budget, given: { ...draft.given, [method]: mine } }
}

/** A preset of the method; parameters that it does not speak of stay. */
export function withPreset(draft: Draft, preset: Preset): Draft {
  const mine = unusual(methodOf(draft.method), { ...draft.given[draft.method], ...preset.parameters })
  return { ...draft, budget: null, given: { ...draft.given, [draft.method]: mine } }
}

/** The preset whose parameters the draft has. */
export function presetOf(draft: Draft): Preset | null {
  const parameters = parametersOf(draft)
  const same = (preset: Preset) => Object.entries(preset.parameters).every(([key, value]) => parameters[key] === value)
  return methodOf(draft.method).presets?.find(same) ?? null
}

/** The method as it is usually run. */
export const asUsual = (draft: Draft): Draft => ({
  ...draft,
  budget: null,
  given: { ...draft.given, [draft.method]: {} },
})

/** Where the draft is on its method's curve; null where it was set by hand to something between two points. */
export const placeOf = (draft: Draft, curve: Curve | undefined) =>
  curve === undefined ? null : pointOf(curve, parametersOf(draft))
