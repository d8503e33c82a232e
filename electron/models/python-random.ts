// CPython's random numbers, so that what published programs drew can be drawn again: random.seed(n), then random.randint.
// native/base/mt19937 draws the same for windows of one token stream.

const size = 624
const middle = 397

export class PythonRandom {
  #state = new Uint32Array(size)
  #index = size

  /** `seed`: a whole number from 0 to 2^32 - 1. */
  constructor(seed: number) {
    const state = this.#state
    state[0] = 19650218
    for (let i = 1; i < size; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i
    // init_by_array with the seed as its only word.
    let i = 1
    const step = () => {
      if (++i < size) return
      state[0] = state[size - 1]!
      i = 1
    }
    const mixed = (factor: number) => state[i]! ^ Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), factor)
    for (let k = 0; k < size; k++, step()) state[i] = mixed(1664525) + seed
    for (let k = 0; k < size - 1; k++, step()) state[i] = mixed(1566083941) - i
    state[0] = 0x80000000
  }

  /** 32 random bits. */
  next(): number {
    if (this.#index === size) this.#refill()
    let y = this.#state[this.#index++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  /** low <= result <= high; at most 2^32 - 1 values. */
  randint(low: number, high: number): number {
    const count = high - low + 1
    const bits = 32 - Math.clz32(count)
    let drawn: number
    do drawn = this.next() >>> (32 - bits)
    while (drawn >= count)
    return low + drawn
  }

  #refill(): void {
    const state = this.#state
    for (let k = 0; k < size; k++) {
      const y = (state[k]! & 0x80000000) | (state[(k + 1) % size]! & 0x7fffffff)
      state[k] = state[(k + middle) % size]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.#index = 0
  }
}
