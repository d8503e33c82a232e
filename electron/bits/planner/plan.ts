// A budget divided among the linears of a model by what was measured of each (docs/METHODS.md, mixed).
import type { Budget } from '../../contract/curve.ts'
import { failure, success, type Result } from '../../contract/errors.ts'
import type { Choice, Measured, Plan } from '../../contract/plan.ts'
import type { Treatment } from '../../contract/overrides.ts'
import * as quantities from '../../contract/quantities.ts'
import { weightsOf } from '../counts.ts'
import type { Beside } from '../curve.ts'
import { forecast, type CalibrationNote, type Measures, type Sizes } from '../forecast.ts'
import { allocate, allocation, fewest, spend, type Allocation } from './allocate.ts'
import { groupOf, itemsOf, type ItemGroup } from './linears.ts'
import { treatmentOf } from './recipe.ts'

export type Planned = { treatment: Treatment; plan: Plan }
type Tried = Planned & { size: number }

/** Headers follow the choice, so that a cap on files becomes one on linears in a few steps. */
const steps = 12

/**
 * Never over the budget, whatever the weights turn out to be, and never worse than the best candidate for all linears alike.
 * `beside`: a person's overrides, and the tables. Error budget_too_small, with the least that the candidates can make.
 */
export function planOf(
  measured: Measured,
  model: Measures,
  budget: Budget,
  beside: Beside = { overrides: [] },
  calibration?: CalibrationNote | null,
): Result<Planned> {
  const items = itemsOf(measured, model, beside.overrides)
  const groups = items.map(groupOf)
  const tried = (from: Allocation): Tried => {
    const treatment = { ...beside, ...treatmentOf(chosenBy(items, from, measured), beside.overrides) }
    const sizes = forecast(treatment, model, calibration).most
    return { treatment, plan: planFrom(items, from, sizes), size: sizeBy(budget, sizes) }
  }
  const fits = ({ size }: Tried) => size <= budget.value
  const uniform = measured.candidates
    .map((_, candidate) => {
      const alike = items.map((group) => group.map(({ fixed }) => (fixed ? 0 : candidate)))
      const from = allocation(groups, alike, 0)
      return { candidate, from, tried: tried(from) }
    })
    .filter((one) => fits(one.tried))
    .toSorted((a, b) => a.tried.plan.loss - b.tried.plan.loss || a.tried.size - b.tried.size)[0]

  const weights = weightsOf(model.linears)
  // Bits that were reckoned from bytes come back as these.
  const whole = Math.floor(budget.by === 'linear' ? ((budget.value * weights) / 8) * (1 + 1e-12) : budget.value)
  const smallest = tried(fewest(groups))
  const found = fits(smallest) ? capped() : null

  function capped(): Tried {
    let best = smallest
    let cap = whole
    for (let step = 0; step < steps; step++) {
      const from = allocate(groups, cap)
      if (from === null) break
      const one = tried(from)
      if (fits(one)) {
        if (one.plan.loss < best.plan.loss) best = one
        const left = budget.by === 'linear' ? 0 : Math.floor((budget.value - one.size) / 2)
        if (step === 0 || left === 0) break
        cap = from.bytes + left
      } else {
        const over = one.size - budget.value
        cap = Math.min(cap, from.bytes) - Math.max(1, Math.ceil(budget.by === 'linear' ? (over * weights) / 8 : over))
      }
    }
    return best
  }

  const better = (a: Tried | null, b: Tried | undefined) =>
    a !== null && (b === undefined || a.plan.loss <= b.plan.loss) ? a : (b ?? a)
  // Where all alike does better, what it leaves is spent too.
  const filled = uniform && budget.by === 'linear' ? tried(spend(groups, uniform.from, whole)) : undefined
  const best = better(better(found, uniform?.tried), filled && fits(filled) ? filled : undefined)
  if (best === null) return failure('budget_too_small', tooSmall(smallest, budget))
  const { size, treatment, plan } = best
  const left = budget.by === 'linear' ? whole - plan.sizes.linear_bytes : Math.floor(budget.value - size)
  const beaten = uniform
    ? { candidate: uniform.candidate, loss: uniform.tried.plan.loss, sizes: uniform.tried.plan.sizes }
    : null
  return success({ treatment, plan: { ...plan, unused: Math.max(0, left), uniform: beaten } })
}

const sizeBy = ({ by }: Budget, sizes: Sizes) => (by === 'linear' ? sizes.linear : sizes.fileBytes)

const tooSmall = ({ plan: { sizes } }: Planned, { by, value }: Budget) =>
  `The least that these candidates can reach on this model is ${quantities.bits(sizes.linear)} linear bits per weight, ` +
  `${quantities.size(sizes.file_bytes)} of files; the budget is ` +
  (by === 'linear' ? `${quantities.bits(value)} linear bits per weight.` : `${quantities.size(value)}.`)

const chosenBy = (items: readonly ItemGroup[], { chosen }: Allocation, { candidates }: Measured) =>
  items.flatMap((group, g) =>
    group.flatMap(({ linear: { name, rows, columns }, fixed }, i) =>
      fixed ? [] : [{ name, weights: rows * columns, recipe: candidates[chosen[g]![i]!]! }],
    ),
  )

function planFrom(items: readonly ItemGroup[], { chosen, loss, lambda }: Allocation, sizes: Sizes): Plan {
  const choices = items.flatMap((group, g) =>
    group.map(({ linear, options, fixed }, i): Choice => {
      const place = chosen[g]![i]!
      const { bytes, loss: its, error } = options[place]!
      return {
        name: linear.name,
        candidate: fixed ? null : place,
        bytes,
        error: fixed ? null : error,
        loss: fixed ? null : its,
      }
    }),
  )
  const { linear, linearBytes: linear_bytes, fileBytes: file_bytes } = sizes
  return { choices, lambda, loss, sizes: { linear, linear_bytes, file_bytes }, unused: 0, uniform: null }
}

/** What budgets from the least to the most that the candidates make come to, evenly in linear bits. */
export function lossCurve(measured: Measured, model: Measures, { overrides }: Beside, points = 33) {
  const groups = itemsOf(measured, model, overrides).map(groupOf)
  const weights = weightsOf(model.linears)
  const least = fewest(groups).bytes
  const most = allocate(groups, Infinity)?.bytes ?? least
  return Array.from({ length: points }, (_, i) => Math.floor(least + ((most - least) * i) / (points - 1))).map(
    (cap) => {
      const { bytes, loss } = allocate(groups, cap) ?? fewest(groups)
      return { linear: (8 * bytes) / weights, loss }
    },
  )
}
