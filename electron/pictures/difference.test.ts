// Two models of one shape: every cell of a difference at every level, and its counts, worked out anew from the decoder's weights.
import { expect, onTestFinished, test } from 'vitest'
import { pairOf, tilePath, topLevel } from '../contract/pictures.ts'
import { decodeLinear } from '../packed/decode.ts'
import type { Layout } from '../packed/layout.ts'
import { openPackedModel } from '../packed/model.ts'
import { bell, uniform } from '../packed/testing/random.ts'
import { f32Tensor } from '../packed/testing/write.ts'
import { openPictures } from './pictures.ts'
import { coarser, wholePicture } from './testing/matrix.ts'
import { randomLinear } from './testing/random-linear.ts'
import { picturesOfRuns, writeRun } from './testing/run-folder.ts'

const P = 'model.layers.3.mlp.up_proj'
const shape = { rows: 300, columns: 1100 }
const common = { ...shape, blocksize: 64, scale_type: 'f16' } as const
const layouts = {
  rc: { ...common, method: 'signum-rc', second_columns: 71, column_scales: true, order: `${P}.order` },
  billm: { ...common, method: 'billm', salient_columns: 17 },
  pb: {
    ...shape,
    method: 'pb-llm',
    salient_bits: 5,
    scale_type: 'f16',
    group: 64,
    salient_weights: 9000,
    mask_low_bits: 3,
  },
  rtn: { ...shape, method: 'rtn', bits: 3, group: 100, scale_type: 'f16' },
} satisfies Record<string, Layout>

const next = uniform(4)
const original = Float32Array.from({ length: shape.rows * shape.columns }, () => bell(next))
const weight = { [`${P}.weight`]: f32Tensor([shape.rows, shape.columns], original) }

async function runOf(layout: Layout, seed: number) {
  const made = randomLinear(P, layout, seed)
  const folders = await writeRun([{ linears: { [P]: layout }, tensors: made.tensors }], { 'model.safetensors': weight })
  const packed = await openPackedModel(folders.packed)
  const values = await decodeLinear(packed, P)
  await packed.close()
  const sign = (k: number) => {
    const [i, j] = [Math.floor(k / shape.columns), k % shape.columns]
    const isStored = made.truth.sign && made.truth.mask?.[i]![j] !== 1
    return isStored ? made.truth.sign![i]![j]! : signOf(values[k]!)
  }
  const salient = (k: number) => {
    const [i, j] = [Math.floor(k / shape.columns), k % shape.columns]
    return (made.truth.mask?.[i]![j] ?? made.truth.salient?.[j]) === 1
  }
  return { folders, values, sign, salient }
}
const isNear = (a: number, b: number, near: number) => Object.is(a, b) || Math.abs(a - b) <= near
const signOf = (value: number) => (value > 0 ? 1 : value < 0 ? 0 : NaN)
const inRows = (count: (k: number) => number) =>
  Array.from({ length: shape.rows }, (_, i) =>
    Array.from({ length: shape.columns }, (_, j) => count(i * shape.columns + j)),
  )

test.each([
  ['signum-rc against billm', layouts.rc, layouts.billm],
  ['pb-llm against rtn', layouts.pb, layouts.rtn],
])('%s', async (_, one, two) => {
  const [a, b] = [await runOf(one, 1), await runOf(two, 2)]
  const pictures = picturesOfRuns(a.folders, b.folders)
  const expected = {
    flipped: inRows((k) =>
      Number.isNaN(a.sign(k)) || Number.isNaN(b.sign(k)) ? NaN : Number(a.sign(k) !== b.sign(k)),
    ),
    change: inRows((k) =>
      Math.fround(
        Math.abs(Math.fround(b.values[k]! - original[k]!)) - Math.abs(Math.fround(a.values[k]! - original[k]!)),
      ),
    ),
  }
  for (const kind of ['flipped', 'change'] as const) {
    const whole = (level: number) => wholePicture(pictures, { run: pairOf(1, 2), linear: P, kind, shape }, level)
    expect(await whole(0), kind).toEqual(expected[kind])
    for (let level = 1; level <= topLevel(shape); level++) {
      const means = coarser(expected[kind], level, false)
      const near = kind === 'flipped' ? 0.5 / 254 + 1e-9 : 1e-5
      const far = (await whole(level)).flatMap((row, i) =>
        row.filter((value, j) => !isNear(value, means[i]![j]!, near)),
      )
      expect(far, `${kind} at level ${level}`).toEqual([])
    }
  }
  const counted = await pictures.difference(1, 2, P)
  const flips = expected.flipped.flat()
  const count = (which: (k: number) => boolean) => ({
    signs: flips.filter((value, k) => which(k) && !Number.isNaN(value)).length,
    flipped: flips.filter((value, k) => which(k) && value === 1).length,
  })
  expect(counted).toEqual({ ok: true, value: { ...count(() => true), salient: count(a.salient) } })
  // The other way round the signs are the same, and other columns are salient.
  const back = await pictures.difference(2, 1, P)
  const hasSalient = two.method === 'billm'
  expect(back).toEqual({ ok: true, value: { ...count(() => true), salient: hasSalient ? count(b.salient) : null } })
})

test('a run against the original weights', async () => {
  const a = await runOf(layouts.billm, 3)
  const pictures = picturesOfRuns(a.folders, { ...a.folders, model: null })
  const expected = inRows((k) => (original[k] === 0 ? NaN : Number(a.sign(k) !== signOf(original[k]!))))
  const asked = { run: pairOf(1, null), linear: P, kind: 'flipped', shape } as const
  expect(await wholePicture(pictures, asked)).toEqual(expected)
  const flipped = expected.flat().filter((bit) => bit === 1).length
  expect(await pictures.difference(1, null, P)).toMatchObject({ ok: true, value: { flipped } })
  // Without an original there is nothing to compare with.
  expect(await pictures.difference(2, null, P)).toMatchObject({ ok: false, problem: { code: 'tensor_missing' } })
  const { status } = await pictures.answer(tilePath(pairOf(1, 2), P, 'change', { level: 0, row: 0, column: 0 }))
  expect(status).toBe(404)
})

test('what has another shape, or is not there, is no pair', async () => {
  const a = await runOf(layouts.billm, 3)
  const small: Layout = { method: 'rtn', rows: 4, columns: 9, bits: 2, group: 9, scale_type: 'f16' }
  const other = await writeRun([{ linears: { [P]: small }, tensors: randomLinear(P, small, 1).tensors }])
  const pictures = picturesOfRuns(a.folders, other)
  expect(await pictures.difference(1, 2, P)).toMatchObject({ ok: false, problem: { code: 'request_invalid' } })
  expect(await pictures.difference(1, 3, P)).toMatchObject({ ok: false, problem: { code: 'run_unknown' } })
  expect(await pictures.difference(1, 2, 'lm_head')).toMatchObject({ ok: false, problem: { code: 'tensor_missing' } })
})

test('a pair is forgotten with either of its runs', async () => {
  const runs = [(await runOf(layouts.billm, 1)).folders, (await runOf(layouts.rc, 2)).folders]
  const pictures = openPictures((id) => Promise.resolve({ ok: true, value: runs[Number(id) - 1]! }))
  onTestFinished(() => pictures.close())
  const first = await pictures.difference(1, 2, P)
  runs[1] = (await runOf(layouts.rc, 9)).folders
  expect(await pictures.difference(1, 2, P)).toEqual(first)
  await pictures.forget(2)
  expect(await pictures.difference(1, 2, P)).not.toEqual(first)
})
