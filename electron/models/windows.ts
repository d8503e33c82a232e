// Which windows a calibration takes of a row of tokens; native/calibrate/tokens takes the same ones.
import type { Calibration } from '../contract/recipe.ts'
import { PythonRandom } from './python-random.ts'

type Taken = Pick<Calibration, 'sampling' | 'sequences' | 'seed'> & { length: number }

/**
 * The first token of every window. Random: CPython's random.seed(seed), then randint(0, tokens - length - 1) one after another.
 * Otherwise one after another from the start; drawn documents are a row of windows already. `tokens` must suffice
 * (checkCalibration).
 */
export function windowStarts({ sampling, sequences, length, seed }: Taken, tokens: number): number[] {
  const random = sampling === 'random' ? new PythonRandom(seed) : null
  return Array.from({ length: sequences }, (_, i) => random?.randint(0, tokens - length - 1) ?? i * length)
}
