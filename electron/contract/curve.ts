// What a method can reach on a model: points of rising size, and the one that a budget asks for. Pure, so that a slider can
// ask for every pixel.
import { z } from 'zod'
import { methodIds, type Parameters } from './methods.ts'

const parameters = z.record(z.string(), z.union([z.number(), z.string(), z.boolean()]))

export const curvePointSchema = z.object({
  /** All of the method's parameters. */
  parameters,
  nominal: z.number(),
  linear: z.number(),
  file: z.number(),
  linear_bytes: z.number(),
  file_bytes: z.number(),
})
export type CurvePoint = z.infer<typeof curvePointSchema>

export const curveSchema = z.object({
  method: z.enum(methodIds),
  /** The parameters that a budget chooses; all others are what they were. */
  chooses: z.array(z.string()),
  /** False where the weights decide a part of the size: what is said is what to expect then. */
  exact: z.boolean(),
  /** By linear bits, rising. Empty where the other parameters rule out every one. */
  points: z.array(curvePointSchema),
})
export type Curve = z.infer<typeof curveSchema>

export const budgetKinds = ['linear', 'file_bytes'] as const
export const budgetSchema = z.object({ by: z.enum(budgetKinds), value: z.number().positive() })
export type Budget = z.infer<typeof budgetSchema>

export type Picked = {
  point: CurvePoint
  /** `over`: even the smallest point is larger than the budget. `short`: the largest one leaves some of it. */
  reach: 'within' | 'over' | 'short'
}

/** The largest point within the budget, or the smallest of all where none is; null on an empty curve. */
export function pickPoint({ points }: Pick<Curve, 'points'>, { by, value }: Budget): Picked | null {
  const within = points.filter((point) => point[by] <= value)
  const point = extreme(within.length > 0 ? within : points, by, within.length > 0 ? 1 : -1)
  if (point === null) return null
  if (within.length === 0) return { point, reach: 'over' }
  const largest = extreme(points, by, 1) === point && point[by] < value
  return { point, reach: largest ? 'short' : 'within' }
}

function extreme(points: readonly CurvePoint[], by: Budget['by'], sign: 1 | -1): CurvePoint | null {
  let found: CurvePoint | null = null
  for (const point of points) if (found === null || sign * point[by] > sign * found[by]) found = point
  return found
}

/** What a point says about the parameters that the budget chooses. */
export const chosenBy = ({ chooses }: Pick<Curve, 'chooses'>, point: CurvePoint): Parameters =>
  Object.fromEntries(chooses.flatMap((key) => (key in point.parameters ? [[key, point.parameters[key]!]] : [])))

/** The point that has these parameters, or null where they were set by hand to something between. */
export function pointOf({ points, chooses }: Curve, all: Parameters): CurvePoint | null {
  return points.find(({ parameters: its }) => chooses.every((key) => its[key] === all[key])) ?? null
}

/** Of what a person set by hand: what stays when a budget is chosen. */
export const kept = (given: Parameters, { chooses }: Pick<Curve, 'chooses'>): Parameters =>
  Object.fromEntries(Object.entries(given).filter(([key]) => !chooses.includes(key)))
