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
  /** The most that it can come to: more where the weights decide a part of the size. */
  most_linear: z.number(),
  most_file_bytes: z.number(),
})
export type CurvePoint = z.infer<typeof curvePointSchema>

export const curveSchema = z.object({
  method: z.enum(methodIds),
  /** The parameters that a budget chooses; all others are what they were. */
  chooses: z.array(z.string()),
  /** False where the weights decide a part of the size: what is said is what to expect then. */
  exact: z.boolean(),
  /** By linear bits, then by the most of them, rising. Empty where the other parameters rule out every one. */
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

const most = { linear: 'most_linear', file_bytes: 'most_file_bytes' } as const
/** A budget is a cap: what can come out at worst counts. */
export const worstOf = (point: CurvePoint, by: Budget['by']): number => point[most[by]]

/**
 * The largest point that is sure to be within the budget, of equal ones the one that can grow most; or the one that is sure
 * to be smallest where none is within. Null on an empty curve.
 */
export function pickPoint({ points }: Pick<Curve, 'points'>, { by, value }: Budget): Picked | null {
  const worst = (point: CurvePoint) => worstOf(point, by)
  const larger = (a: CurvePoint, b: CurvePoint) => (a[by] - b[by] || worst(a) - worst(b)) > 0
  const within = points.filter((point) => worst(point) <= value)
  const largest = (all: readonly CurvePoint[]) => all.reduce((best, one) => (larger(one, best) ? one : best))
  if (points.length === 0) return null
  if (within.length === 0) {
    const point = points.reduce((least, one) => (worst(one) < worst(least) ? one : least))
    return { point, reach: 'over' }
  }
  const point = largest(within)
  return { point, reach: point === largest(points) && worst(point) < value ? 'short' : 'within' }
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
