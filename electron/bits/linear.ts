// The bytes of one quantized linear [rows m, columns n], by what they are for.
import type { MethodId, Parameters } from '../contract/methods.ts'
import { indexBytes, number, type LinearBytes, type Shape } from './counts.ts'
import { bytesOf, storedLinear } from './stored.ts'

export { salientWeights, secondColumns, smallestMask, type LinearBytes, type Shape } from './counts.ts'

export type LinearCost = {
  bytes: LinearBytes
  /** Bits per weight as the paper counts. */
  nominal: number
}

export const sum = (bytes: LinearBytes): number =>
  bytes.codes + bytes.signs + bytes.second + bytes.bitmaps + bytes.scales

/**
 * The cost of one linear. `salient`: how many columns the search marked, which the weights decide; it changes the bytes
 * where column_group_bitmap is set and the nominal bits of billm and the ARB methods (salientColumns gives what to expect).
 */
export function linearCost(method: MethodId, parameters: Parameters, shape: Shape, salient: number): LinearCost {
  const { tensors, nominal } = storedLinear(method, parameters, shape, salient)
  const bytes: LinearBytes = { codes: 0, signs: 0, second: 0, bitmaps: 0, scales: 0 }
  for (const tensor of tensors) bytes[tensor.purpose] += bytesOf(tensor)
  return { bytes, nominal }
}

/** Bytes of the order tensor of one input, 0 where the method stores none. */
export function orderBytes(method: MethodId, parameters: Parameters, columns: number): number {
  const stored = (method === 'gptq' || method === 'signum-rc') && parameters['order'] === 'hessian'
  return stored ? columns * indexBytes(columns) : 0
}

/** Salient columns of a linear that the published searches typically mark: the papers' average share of 9 %. */
export const typicalShare = 0.09

/** Whether the weights decide how many columns are salient. */
export const isSearched = (method: MethodId): boolean => ['billm', 'arb', 'arb-x', 'arb-rc'].includes(method)

/** Salient columns to expect, and the most that the search can mark; null for methods without them. */
export function salientColumns(
  method: MethodId,
  parameters: Parameters,
  columns: number,
): { expected: number; most: number } | null {
  if (!isSearched(method)) return null
  const width = number(parameters, 'blocksize')
  let most = 0
  for (let start = 0; start < columns; start += width) {
    // The search tries 1 to up - 1 columns; a block of one column has that one.
    const up = Math.min(number(parameters, 'max_salient'), width, columns - start)
    most += Math.max(1, up - 1)
  }
  return { expected: Math.min(most, Math.round(typicalShare * columns)), most }
}
