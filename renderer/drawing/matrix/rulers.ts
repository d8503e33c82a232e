// Numbers along the edges of the matrix.

/** 1, 2 or 5 times a power of ten: the smallest such step that leaves `room` pixels between two numbers. */
export function stepFor(cell: number, room: number): number {
  const least = Math.max(1, room / cell)
  const power = 10 ** Math.floor(Math.log10(least) + 1e-9)
  for (const factor of [1, 2, 5]) if (factor * power >= least * (1 - 1e-9)) return factor * power
  return 10 * power
}

/** The multiples of `step` from `from` on, up to `to` and within the matrix. */
export function ticks(from: number, to: number, count: number, step: number): number[] {
  const first = Math.max(0, Math.ceil(from / step))
  const last = Math.floor(Math.min(to, count - 1) / step)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => (first + k) * step)
}
