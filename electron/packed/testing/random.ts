// Seeded inputs of a layer job: the same weights and Hessians in every run, on every machine with IEEE arithmetic.

import { bell, uniform } from '../../models/testing/random.ts'

export { bell, uniform }

export interface Shape {
  readonly rows: number
  readonly columns: number
  /** Every so many columns, one whose input is always 0. */
  readonly deadEvery?: number
  /** Typical size of a weight; small ones make the scales subnormal in F16. */
  readonly size?: number
  /** A row and a column of zero weights. */
  readonly zeros?: boolean
}

/** [rows, columns], rows of different size, a few outliers. */
export function randomWeight(shape: Shape, seed: number): Float32Array {
  const { rows, columns, size = 0.05, zeros = false } = shape
  const next = uniform(seed)
  const weight = new Float32Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    const rowSize = size * (0.25 + 2 * next())
    for (let j = 0; j < columns; j++) {
      const outlier = next() < 0.01 ? 8 : 1
      const zero = zeros && (i === rows - 1 || j === columns - 1)
      weight[i * columns + j] = zero ? 0 : rowSize * outlier * (bell(next) + 0.1)
    }
  }
  return weight
}

/** X^T X [columns, columns] of inputs X in which neighbours go together and sizes differ. */
export function randomHessian(shape: Shape, seed: number): Float32Array {
  const { columns: n, deadEvery = 0 } = shape
  const next = uniform(seed)
  const size = Float64Array.from({ length: n }, (_, j) =>
    deadEvery > 0 && j % deadEvery === deadEvery - 1 ? 0 : Math.exp(bell(next)),
  )
  const sum = new Float64Array(n * n)
  const x = new Float64Array(n)
  for (let sample = 0; sample < 2 * n + 8; sample++) {
    let state = 0
    for (let j = 0; j < n; j++) {
      state = 0.8 * state + 0.6 * bell(next)
      x[j] = size[j]! * state
    }
    for (let i = 0; i < n; i++) {
      const xi = x[i]!
      for (let j = 0; j <= i; j++) sum[i * n + j]! += xi * x[j]!
    }
  }
  const hessian = new Float32Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) hessian[i * n + j] = hessian[j * n + i] = sum[i * n + j]!
  }
  return hessian
}
