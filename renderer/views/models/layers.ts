// The linears of a model by decoder layer, each with its share of the layer's weights.
import type { Linear } from '../../../electron/contract/records.ts'

export type Part = { linear: Linear; share: number }
export type Layer = { layer: number; parts: Part[] }

export function layersOf(linears: readonly Linear[]): Layer[] {
  const layers = new Map<number, Linear[]>()
  for (const linear of linears) layers.set(linear.layer, [...(layers.get(linear.layer) ?? []), linear])
  return [...layers].map(([layer, all]) => {
    const weights = all.reduce((sum, { rows, columns }) => sum + rows * columns, 0)
    return { layer, parts: all.map((linear) => ({ linear, share: (linear.rows * linear.columns) / weights })) }
  })
}
