// Places on a short axis, in percent of its width.
import type { Cell } from '../../../electron/contract/pictures.ts'

export type Axis = { levels: number[]; zero: number; original: number | null; quantized: number | null }

/** Many levels, as codes of 8 bits have, are thinned out; the first and the last stay. */
const most = 64

/** From the lowest to the highest of all that is shown; 0 is always on it. */
export function axisOf({ levels, original, quantized }: Cell): Axis {
  const shown = [0, ...levels, original, quantized].filter((value) => value !== null)
  const low = Math.min(...shown)
  const width = Math.max(...shown) - low
  const place = (value: number) => (width === 0 ? 50 : (100 * (value - low)) / width)
  const step = Math.ceil(levels.length / most)
  return {
    levels: levels.filter((_, k) => k % step === 0 || k === levels.length - 1).map(place),
    zero: place(0),
    original: original === null ? null : place(original),
    quantized: quantized === null ? null : place(quantized),
  }
}
