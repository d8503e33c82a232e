// What two runs have in common that can be looked at side by side.
import type { PicturedLinear, PictureKind } from '../../../electron/contract/pictures.ts'

export type LinearPair = { left: PicturedLinear; right: PicturedLinear }

/** Linears of the same name and shape, in the first run's order. */
export function commonLinears(left: readonly PicturedLinear[], right: readonly PicturedLinear[]): LinearPair[] {
  const byName = new Map(right.map((linear) => [linear.name, linear]))
  return left.flatMap((linear) => {
    const other = byName.get(linear.name)
    return other?.rows === linear.rows && other.columns === linear.columns ? [{ left: linear, right: other }] : []
  })
}

/** Pictures that there are of both. */
export const commonKinds = ({ left, right }: LinearPair): PictureKind[] =>
  left.pictures.filter((kind) => right.pictures.includes(kind))

/** What was asked for where both have it; else the errors, which say most of two runs. */
export function kindFor(pair: LinearPair, wanted: string | undefined): PictureKind {
  const kinds = commonKinds(pair)
  return kinds.find((kind) => kind === wanted) ?? kinds.find((kind) => kind === 'error') ?? kinds[0] ?? 'quantized'
}
