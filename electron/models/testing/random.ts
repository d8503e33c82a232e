// Seeded numbers: the same in every run, on every machine with IEEE arithmetic.

/** Uniform in [0, 1); mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Bell-shaped enough for a weight: variance 1, the sum of 12 uniform numbers. */
export function bell(next: () => number): number {
  let sum = -6
  for (let k = 0; k < 12; k++) sum += next()
  return sum
}
