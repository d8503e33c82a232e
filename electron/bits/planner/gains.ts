// What more bits would gain, linear by linear: from where a run has left it, the measured candidate that saves most per byte.
import type { Gain, Measured } from '../../contract/plan.ts'
import type { LinearRecipe } from '../../contract/overrides.ts'
import type { Measures } from '../forecast.ts'
import { itemsOf } from './linears.ts'

/** What a run made of a linear. `error`: of its outputs, relative; null where the run measured none. */
export type Made = { recipe: LinearRecipe | null; bytes: number; error: number | null }

/** Linears that the run has no report of, or no error of, are left out. Losses in nats, as in a plan. */
export function gainsOf(measured: Measured, model: Measures, made: ReadonlyMap<string, Made>): Gain[] {
  const rows = new Map(measured.linears.map((row) => [row.name, row]))
  const candidates = measured.candidates.map((one) => JSON.stringify(sorted(one)))
  return itemsOf(measured, model, [])
    .flat()
    .flatMap(({ linear, options }): Gain[] => {
      const [row, its] = [rows.get(linear.name), made.get(linear.name)]
      if (!row || !its) return []
      // Measured errors are compared with each other where the linear has one of the candidates.
      const own = its.recipe === null ? -1 : candidates.indexOf(JSON.stringify(sorted(its.recipe)))
      const measuredHere = options[own]
      const error = its.recipe === null ? 0 : (measuredHere?.error ?? its.error)
      if (error === null) return []
      const now = { bytes: measuredHere?.bytes ?? its.bytes, loss: row.sensitivity * error ** 2 }
      let next: Gain['next'] = null
      let steepest = 0
      for (const [candidate, option] of options.entries()) {
        const [bytes, saved] = [option.bytes - now.bytes, now.loss - option.loss]
        // Within a per cent it is no step up but another way to the same size.
        if (bytes <= 0.01 * now.bytes || saved <= 0 || saved / bytes <= steepest) continue
        steepest = saved / bytes
        next = { candidate, bytes, saved, error: option.error }
      }
      return [{ name: linear.name, sensitivity: row.sensitivity, error, ...now, next }]
    })
}

const sorted = ({ method, parameters }: LinearRecipe) => [
  method,
  Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1)),
]
