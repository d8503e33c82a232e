// What a packed model will weigh, before anything is computed.
import type { MethodId, Parameters } from '../contract/methods.ts'
import type { Linear, Model } from '../contract/records.ts'
import { headerBytes } from './headers.ts'
import { linearCost, orderBytes, salientColumns, sum, type LinearBytes } from './linear.ts'

export type Sizes = {
  /** Bits per weight of the quantized linears: as the paper counts, and as stored. */
  nominal: number
  linear: number
  /** Bits of all files per parameter of the model. */
  file: number
  linearBytes: number
  fileBytes: number
}

export type Forecast = {
  /** The same as `most` where the method's bytes do not depend on the weights. */
  expected: Sizes
  most: Sizes
  /** Of `expected`, by what the bytes are for. */
  parts: LinearBytes & { order: number; rest: number }
}

/** What inspect says, as far as sizes depend on it. */
export type Measures = Pick<Model, 'parameters' | 'dtype' | 'linears'>

/** Bytes of one parameter that is stored as it was. */
export const elementBytes: Record<string, number> = { F16: 2, BF16: 2, F32: 4 }

/** Linears with one input in common store one order tensor; which they are is a matter of the block's architecture. */
const sharedInputs: Record<string, string> = { k_proj: 'q_proj', v_proj: 'q_proj', up_proj: 'gate_proj' }
export const inputOf = ({ layer, kind }: Linear): string => `${layer}.${sharedInputs[kind] ?? kind}`

export function forecast(method: MethodId, parameters: Parameters, model: Measures): Forecast {
  const weights = model.linears.reduce((total, { rows, columns }) => total + rows * columns, 0)
  const restParameters = model.parameters - weights
  const rest = restParameters * (elementBytes[model.dtype] ?? 4)
  const widths = inputWidths(model.linears)
  const order = widths.reduce((total, columns) => total + orderBytes(method, parameters, columns), 0)
  const total = (pick: 'expected' | 'most') => {
    const parts: LinearBytes = { codes: 0, signs: 0, second: 0, bitmaps: 0, scales: 0 }
    let nominal = 0
    for (const { rows, columns } of model.linears) {
      const salient = salientColumns(method, parameters, columns)?.[pick] ?? 0
      const cost = linearCost(method, parameters, { rows, columns }, salient)
      nominal += cost.nominal * rows * columns
      for (const key of Object.keys(parts) as (keyof LinearBytes)[]) parts[key] += cost.bytes[key]
    }
    const linearBytes = sum(parts) + order
    const fileBytes = linearBytes + rest + headerBytes(method, parameters, model.linears, order > 0 ? widths.length : 0)
    const sizes: Sizes = {
      nominal: nominal / weights,
      linear: (8 * linearBytes) / weights,
      file: (8 * fileBytes) / model.parameters,
      linearBytes,
      fileBytes,
    }
    return { sizes, parts }
  }
  const expected = total('expected')
  return { expected: expected.sizes, most: total('most').sizes, parts: { ...expected.parts, order, rest } }
}

/** The widths of all inputs, each of which has its own order. */
function inputWidths(linears: readonly Linear[]): number[] {
  const widths = new Map(linears.map((linear) => [inputOf(linear), linear.columns]))
  return [...widths.values()]
}
