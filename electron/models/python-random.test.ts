import { expect, test } from 'vitest'
import { PythonRandom } from './python-random.ts'

// Made with CPython 3.11, for every seed:
//   random.seed(seed); [random.getrandbits(32) for _ in range(3)]
//   random.seed(seed); [random.randint(0, 9) for _ in range(12)], random.randint(5, 5), random.randint(0, 355317),
//   random.randint(0, 2**32 - 2)
// The same words and digits are in native/tests/calibrate_test.cc.
test.each([
  [0, [3626764237, 1654615998, 3255389356], [6, 6, 0, 4, 8, 7, 6, 4, 7, 5, 9, 3], [5, 147764, 600203567]],
  [1, [577090037, 2444712010, 3639700191], [2, 9, 1, 4, 1, 7, 7, 7, 6, 3, 1, 7], [5, 204372, 1858720390]],
  [42, [2746317213, 478163327, 107420369], [1, 0, 4, 3, 3, 2, 1, 8, 1, 9, 6, 0], [5, 49123, 939042955]],
  [4294967295, [2728839433, 2661025012, 872737089], [9, 3, 3, 9, 8, 4, 9, 5, 6, 4, 5, 7], [5, 33697, 931911147]],
])('seed %d: the numbers of CPython', (seed, words, digits, rest) => {
  const bits = new PythonRandom(seed)
  expect(words.map(() => bits.next())).toEqual(words)
  const random = new PythonRandom(seed)
  expect(digits.map(() => random.randint(0, 9))).toEqual(digits)
  expect([random.randint(5, 5), random.randint(0, 355317), random.randint(0, 2 ** 32 - 2)]).toEqual(rest)
})

test('past the first 624 words, and windows of one token stream as the worker draws them', () => {
  // random.seed(0); [random.getrandbits(32) for _ in range(701)][700]
  const long = new PythonRandom(0)
  for (let i = 0; i < 700; i++) long.next()
  expect(long.next()).toBe(2140787315)
  // random.seed(0); [random.randint(0, 8192 - 256 - 1) for _ in range(8)]; native/tests/calibrate_test.cc has the same.
  const random = new PythonRandom(0)
  const starts = Array.from({ length: 8 }, () => random.randint(0, 8192 - 256 - 1))
  expect(starts).toEqual([6917, 3155, 6209, 7292, 3445, 331, 2121, 7909])
})
