// Who goes first, what is kept, what a colour scale is fitted to.
import { expect, test } from 'vitest'
import { f32Tensor } from '../packed/testing/write.ts'
import type { Layout } from '../packed/layout.ts'
import { openCache } from './cache.ts'
import { sampledRows, sizeOf } from './scale.ts'
import { randomLinear } from './testing/random-linear.ts'
import { picturesOfRuns, writeRun } from './testing/run-folder.ts'
import { takeTurns } from './turns.ts'

test('of two works the one begun last goes on first, and both end', async () => {
  const turns = takeTurns()
  const steps: string[] = []
  const work = (name: string, count: number) =>
    turns(async (pause) => {
      for (let k = 0; k < count; k++) {
        steps.push(name)
        await pause()
      }
    })
  const first = work('first', 4)
  const second = work('second', 3)
  const failing = turns(() => Promise.reject(new Error('broken')))
  await expect(failing).rejects.toThrow('broken')
  await Promise.all([first, second])
  expect(steps).toEqual(['first', 'second', 'second', 'second', 'first', 'first', 'first'])
})

test('work in the background goes after whatever is begun later', async () => {
  const turns = takeTurns()
  const steps: string[] = []
  const work = (name: string, background?: 'background') =>
    turns(async (pause) => {
      for (let k = 0; k < 3; k++) {
        steps.push(name)
        await pause()
      }
    }, background)
  await Promise.all([work('one'), work('background', 'background'), work('two')])
  expect(steps).toEqual(['one', 'background', 'two', 'two', 'two', 'one', 'one', 'background', 'background'])
})

test('the cache makes a value once, keeps what was used last, forgets what failed', async () => {
  const made: string[] = []
  const cache = openCache<string>(10, (value) => value.length)
  const get = (key: string, value = '1234') =>
    cache.get(key, () => {
      made.push(key)
      return Promise.resolve(value)
    })
  expect(await Promise.all([get('a'), get('a'), get('b')])).toEqual(['1234', '1234', '1234'])
  await get('a')
  await get('c')
  expect(made).toEqual(['a', 'b', 'c'])
  await get('a')
  expect(made).toEqual(['a', 'b', 'c'])
  await get('b')
  expect(made).toEqual(['a', 'b', 'c', 'b'])
  // Larger than all: it is had, and the others make room.
  expect(await get('d', 'longer than ten')).toBe('longer than ten')
  await get('a')
  expect(made.at(-1)).toBe('a')
  const broken = () => cache.get('e', () => Promise.reject(new Error('broken')))
  await expect(broken()).rejects.toThrow('broken')
  expect(await get('e')).toBe('1234')
  cache.forget((key) => key === 'e')
  await get('e')
  expect(made.filter((key) => key === 'e')).toHaveLength(2)
})

test('a colour scale holds 99.9 % of the weights', () => {
  const sizes = Float32Array.from({ length: 1000 }, (_, k) => (k % 2 === 0 ? k + 1 : -(k + 1)))
  expect(sizeOf([sizes.subarray(0, 400), sizes.subarray(400)])).toBe(999)
  expect(sizeOf([Float32Array.of(0.5, -2, NaN, Infinity)])).toBe(2)
  const mostlyZero = new Float32Array(5000)
  mostlyZero[77] = -3
  expect(sizeOf([mostlyZero])).toBe(3)
  expect(sizeOf([])).toBe(0)
})

test('rows are sampled from all over the matrix', () => {
  expect(sampledRows({ rows: 3, columns: 10 })).toEqual([{ first: 0, count: 3 }])
  expect(sampledRows({ rows: 50, columns: 768 })).toEqual([
    { first: 0, count: 21 },
    { first: 21, count: 21 },
    { first: 42, count: 8 },
  ])
  const rows = sampledRows({ rows: 11_008, columns: 4096 })
  expect(rows).toHaveLength(16)
  expect(rows.at(-1)).toEqual({ first: 15 * 688, count: 4 })
  expect(sampledRows({ rows: 5, columns: 2 ** 20 }).map(({ first, count }) => [first, count])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 1],
  ])
})

test('original and quantized have one scale', async () => {
  const layout: Layout = { method: 'rtn', rows: 2, columns: 2, bits: 2, group: 2, scale_type: 'f16' }
  const { tensors } = randomLinear('P', layout, 3)
  const originals = { 'model.safetensors': { 'P.weight': f32Tensor([2, 2], Float32Array.of(1, -40, 3, 4)) } }
  const run = await writeRun([{ linears: { P: layout }, tensors }], originals)
  const scale = await picturesOfRuns(run).scale(1, 'P')
  expect(scale).toMatchObject({ ok: true, value: { weight: 40 } })
  expect(scale.ok && scale.value.error).toBeGreaterThan(30)
})
