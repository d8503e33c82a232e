// Linears whose every bit is known, packed in every layout, and read back as pictures.
import { describe, expect, test } from 'vitest'
import { atOnce, encodingOf, tilePath, topLevel, type Cell, type PictureKind } from '../contract/pictures.ts'
import { decodeLinear } from '../packed/decode.ts'
import { splitsOf, type Layout } from '../packed/layout.ts'
import { openPackedModel } from '../packed/model.ts'
import { bell, uniform } from '../packed/testing/random.ts'
import { f32Tensor } from '../packed/testing/write.ts'
import { coarser, wholePicture } from './testing/matrix.ts'
import { randomLinear, type Truth } from './testing/random-linear.ts'
import { picturesOfRuns, writeRun } from './testing/run-folder.ts'

const P = 'model.layers.3.mlp.up_proj'
const order = `${P}.order`
const binary = { blocksize: 64, scale_type: 'f16' } as const
const codesAndSigns = { method: 'pb-llm', salient_bits: 5, scale_type: 'f16' } as const
const layouts: [string, Layout][] = [
  ['rtn', { method: 'rtn', rows: 7, columns: 172, bits: 3, group: 100, scale_type: 'f16' }],
  ['rtn, 1 column', { method: 'rtn', rows: 300, columns: 1, bits: 8, group: 1, scale_type: 'bf16' }],
  ['rtn, symmetric', { method: 'rtn', rows: 9, columns: 70, bits: 4, group: 32, scale_type: 'f16', symmetric: true }],
  ['gptq', { method: 'gptq', rows: 300, columns: 300, bits: 2, group: 128, scale_type: 'f16', order }],
  ['billm', { ...binary, method: 'billm', rows: 260, columns: 300, salient_columns: 17 }],
  ['billm, none salient', { ...binary, method: 'billm', rows: 1, columns: 172, salient_columns: 0 }],
  ['arb', { ...binary, method: 'arb', rows: 6, columns: 130, salient_columns: 11, column_group_bitmap: false }],
  [
    'arb with groups',
    { ...binary, method: 'arb', rows: 70, columns: 201, salient_columns: 9, column_group_bitmap: true },
  ],
  ['arb-x', { ...binary, method: 'arb-x', rows: 33, columns: 97, salient_columns: 13, column_group_bitmap: true }],
  ['arb-rc', { ...binary, method: 'arb-rc', rows: 5, columns: 300, salient_columns: 40, column_group_bitmap: false }],
  [
    'arb-rc with groups',
    { ...binary, method: 'arb-rc', rows: 300, columns: 172, salient_columns: 33, column_group_bitmap: true },
  ],
  [
    'arb, 3 groups',
    { ...binary, method: 'arb', rows: 9, columns: 140, salient_columns: 20, column_group_bitmap: false, splits: 2 },
  ],
  [
    'arb-x, 4 groups everywhere',
    { ...binary, method: 'arb-x', rows: 40, columns: 280, salient_columns: 31, column_group_bitmap: true, splits: 3 },
  ],
  [
    'arb-rc, 4 groups',
    { ...binary, method: 'arb-rc', rows: 30, columns: 97, salient_columns: 5, column_group_bitmap: false, splits: 3 },
  ],
  [
    'arb-rc, 3 groups everywhere',
    { ...binary, method: 'arb-rc', rows: 12, columns: 66, salient_columns: 9, column_group_bitmap: true, splits: 2 },
  ],
  ['pb-llm', { ...codesAndSigns, rows: 37, columns: 300, group: 300, salient_weights: 1109, mask_low_bits: 3 }],
  ['pb-llm, plane', { ...codesAndSigns, rows: 300, columns: 70, group: 32, salient_weights: 9000, mask_low_bits: 0 }],
  ['pb-llm, 1 column', { ...codesAndSigns, rows: 300, columns: 1, group: 1, salient_weights: 9, mask_low_bits: 1 }],
  ['fdb', { method: 'fdb', rows: 31, columns: 300, group: 64, scale_type: 'f16' }],
  ['fdb, 1 column', { method: 'fdb', rows: 300, columns: 1, group: 1, scale_type: 'f32' }],
  [
    'signum-rc',
    { ...binary, method: 'signum-rc', rows: 40, columns: 300, second_columns: 71, column_scales: true, order },
  ],
  [
    'signum-rc, 1 bit',
    { ...binary, method: 'signum-rc', rows: 9, columns: 65, second_columns: 0, column_scales: false },
  ],
  [
    'signum-rc, all twice',
    { ...binary, method: 'signum-rc', rows: 600, columns: 1, second_columns: 1, column_scales: true },
  ],
]

// Wide and tall enough for levels that are added up from others.
layouts.push(
  ['gptq, tall', { method: 'gptq', rows: 2100, columns: 19, bits: 4, group: 8, scale_type: 'f16', order }],
  [
    'arb-rc, wide',
    { ...binary, method: 'arb-rc', rows: 6, columns: 2500, salient_columns: 90, column_group_bitmap: true },
  ],
)

async function openRun(layout: Layout) {
  const made = randomLinear(P, layout, layout.rows + 3 * layout.columns)
  const { rows, columns } = layout
  const next = uniform(11)
  const original = Float32Array.from({ length: rows * columns }, () => bell(next))
  const weight = { [`${P}.weight`]: f32Tensor([rows, columns], original) }
  const run = await writeRun([{ linears: { [P]: layout }, tensors: made.tensors }], { 'model.safetensors': weight })
  const packed = await openPackedModel(run.packed)
  const quantized = await decodeLinear(packed, P)
  await packed.close()
  return { truth: made.truth, original, quantized, pictures: picturesOfRuns(run) }
}

const inRows = (values: Float32Array, columns: number) =>
  Array.from({ length: values.length / columns }, (_, i) => [...values.subarray(i * columns, (i + 1) * columns)])

describe.each(layouts)('%s', (_, layout) => {
  const asked = { run: 1, linear: P, shape: layout }
  const n = layout.columns

  test('every picture at every level is what was packed', async () => {
    const { truth, original, quantized, pictures } = await openRun(layout)
    const values = inRows(quantized, n)
    const expected: Partial<Record<PictureKind, number[][]>> = {
      original: inRows(original, n),
      quantized: values,
      error: inRows(
        quantized.map((value, k) => value - original[k]!),
        n,
      ),
      sign: signsOf(truth, values),
    }
    const count = truth.salient?.filter((bit) => bit === 1).length ?? 0
    if (count > 0) expected.second = truth.second!
    if (count > 0 && count < n) expected.salient = [truth.salient!]
    if (truth.mask) expected.mask = truth.mask
    if (truth.group) expected.group = truth.group
    // Beside signs there are too few codes for a picture.
    if (truth.code && !truth.mask) expected.code = truth.code

    const listed = await pictures.list(1)
    if (!listed.ok) throw new Error(listed.problem.message)
    expect(listed.value.linears).toMatchObject([
      {
        name: P,
        layer: 3,
        kind: 'up_proj',
        method: layout.method,
        second_columns: count,
        salient_weights: ones(truth.mask),
      },
    ])
    expect(listed.value.linears[0]!.pictures).toEqual(Object.keys(expected))
    for (const [kind, cells] of Object.entries(expected) as [PictureKind, number[][]][]) {
      expect(await wholePicture(pictures, { ...asked, kind }), kind).toEqual(cells)
      for (let level = 1; level <= topLevel(layout); level++) {
        const found = await wholePicture(pictures, { ...asked, kind }, level)
        // A share is one of 255; a mean is a sum of F32.
        const near = encodingOf(kind) === 'value' ? 1e-5 : 0.5 / 254 + 1e-9
        const means = coarser(cells, level, kind === 'error')
        const far = found.flatMap((row, i) => row.filter((value, j) => !isNear(value, means[i]![j]!, near)))
        expect(far, `${kind} at level ${level}`).toEqual([])
      }
    }
  })

  test('single weights say the same', async () => {
    const { truth, original, quantized, pictures } = await openRun(layout)
    for (const [row, column] of [
      [0, 0],
      [layout.rows - 1, n - 1],
      [Math.floor(layout.rows / 2), truth.salient ? Math.max(0, truth.salient.indexOf(1)) : 0],
    ] as const) {
      const { status, bytes } = await pictures.answer(`/pictures/1/${P}/cell/${row}/${column}`)
      expect(status).toBe(200)
      const cell = JSON.parse(new TextDecoder().decode(bytes)) as Cell
      const k = row * n + column
      const bit = (rows?: number[][]) => rows?.[row]?.[column] ?? NaN
      const sign = bit(signsOf(truth, inRows(quantized, n)))
      const salient = truth.salient?.some((one) => one === 0) && truth.salient.includes(1)
      expect(cell).toMatchObject({
        row,
        column,
        original: original[k],
        quantized: quantized[k],
        error: Math.fround(quantized[k]! - original[k]!),
        sign: signed(sign),
        second: signed(bit(truth.second)),
        salient: truth.mask ? bit(truth.mask) === 1 : salient ? truth.salient![column] === 1 : null,
        group: truth.group && !Number.isNaN(bit(truth.group)) ? groupOf(layout, bit(truth.group)) : null,
        code: truth.code ? finite(bit(truth.code)) : null,
      })
      expect(cell.levels).toContain(quantized[k])
      expect(cell.levels).toEqual([...new Set(cell.levels)].sort((a, b) => a - b))
    }
  })
})

const groupOf = (layout: Layout, share: number) => {
  const splits = splitsOf(layout)
  return { place: Math.round(splits * (1 - share)), of: splits + 1 }
}
/** Where no sign is stored, or it is a part of a code, it is that of the value. */
const signsOf = (truth: Truth, values: number[][]): number[][] =>
  values.map((row, i) =>
    row.map((value, j) =>
      truth.sign && truth.mask?.[i]![j] !== 1 ? truth.sign[i]![j]! : value > 0 ? 1 : value < 0 ? 0 : NaN,
    ),
  )
const ones = (rows: number[][] = []) => rows.flat().filter((bit) => bit === 1).length
const finite = (value: number) => (Number.isNaN(value) ? null : value)
const signed = (bit: number) => (Number.isNaN(bit) ? null : bit === 1 ? 1 : -1)
const isNear = (a: number, b: number, near: number) => Object.is(a, b) || Math.abs(a - b) <= near

test('the levels of a weight are those that its scales allow', async () => {
  // One row, stored order 2, 0, 1; the first stored column has two signs.
  const layout: Layout = {
    method: 'signum-rc',
    rows: 1,
    columns: 3,
    blocksize: 2,
    scale_type: 'f16',
    second_columns: 1,
    column_scales: true,
    order,
  }
  const { tensors } = randomLinear(P, layout, 1)
  const run = await writeRun([{ linears: { [P]: layout }, tensors }])
  const pictures = picturesOfRuns({ ...run, model: null })
  const levelsAt = async (column: number) => {
    const { bytes } = await pictures.answer(`/pictures/1/${P}/cell/0/${column}`)
    return (JSON.parse(new TextDecoder().decode(bytes)) as Cell).levels
  }
  const counts = await Promise.all([0, 1, 2].map(async (column) => (await levelsAt(column)).length))
  expect(counts.toSorted()).toEqual([2, 2, 4])
  for (const column of [0, 1, 2]) {
    const levels = await levelsAt(column)
    expect(levels.map((value) => -value).sort((a, b) => a - b)).toEqual(levels.map((value) => value + 0))
  }
})

test('where all rows would take too long, a coarse tile is told by some of them, and exact later', async () => {
  const layout: Layout = { method: 'rtn', rows: 6000, columns: 1030, bits: 2, group: 103, scale_type: 'f16' }
  const { tensors } = randomLinear(P, layout, 9)
  const run = await writeRun([{ linears: { [P]: layout }, tensors }])
  const pictures = picturesOfRuns({ ...run, model: null })
  const place = { level: topLevel(layout), row: 0, column: 0 }
  for (const kind of ['code', 'sign', 'quantized'] as const) {
    const first = await pictures.answer(atOnce(tilePath(1, P, kind, place)))
    const exact = await pictures.answer(tilePath(1, P, kind, place))
    expect([first.status, exact.status]).toEqual([200, 200])
    expect(exact.sampled).toBe(undefined)
    expect(first.bytes.length).toBe(exact.bytes.length)
    if (first.sampled === undefined) continue
    expect(first.sampled).toBeGreaterThan(0.01)
    expect(first.sampled).toBeLessThan(1)
  }
  // Tiles of bits are exact at once.
  expect(await pictures.answer(atOnce(tilePath(1, P, 'code', { level: 0, row: 0, column: 0 })))).not.toHaveProperty(
    'sampled',
  )
})
