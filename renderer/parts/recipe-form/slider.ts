// Which parameters a slider can move: those whose range a hand can cross evenly.
import type { Parameter } from '../../../electron/contract/parameters.ts'

export type Slide = { min: number; max: number; step: number }

export function slideOf(parameter: Parameter): Slide | null {
  if (parameter.type === 'number') {
    const { min, max } = parameter
    // Ranges over many powers of ten are typed.
    if (max - min > 10 || (min > 0 && max / min > 100)) return null
    return { min, max, step: (max - min) / 100 }
  }
  if (parameter.type === 'integer') {
    const { min, max } = parameter
    if (max - min > 300) return null
    return { min, max, step: min % 32 === 0 && max % 32 === 0 ? 32 : 1 }
  }
  return null
}
