import { expect, test } from 'vitest'
import { breakDown, breakDownLinears } from './breakdown.ts'

type Model = Parameters<typeof breakDown>[0]
const tensor = (bytes: number) => ({ dtype: 'U8' as const, shape: [bytes], begin: 0, bytes })

test('every byte of the files has one purpose', () => {
  const tensors: Model['tensors'] = new Map(
    Object.entries({
      'q.sign': tensor(10),
      'q.sign2': tensor(5),
      'q.row_scale': tensor(4),
      'q.row_scale2': tensor(2),
      'q.order': tensor(20),
      'k.sign': tensor(10),
      'k.sign2': tensor(5),
      'k.row_scale': tensor(4),
      'k.row_scale2': tensor(2),
      'p.code': tensor(7),
      'p.code_scale': tensor(3),
      'p.code_zero': tensor(1),
      'model.embed_tokens.weight': tensor(100),
      'norm.weight': tensor(8),
    }),
  )
  const common = { rows: 1, columns: 10, scale_type: 'f16', blocksize: 128, column_scales: false } as const
  const linears: Model['linears'] = new Map([
    ['q', { method: 'signum-rc', ...common, second_columns: 5, order: 'q.order' }],
    ['k', { method: 'signum-rc', ...common, second_columns: 5, order: 'q.order' }],
    ['p', { method: 'rtn', rows: 1, columns: 10, scale_type: 'f16', bits: 4, group: 10 }],
  ])
  const shards = new Map([['a', { file: { size: 200 } }]]) as unknown as Model['shards']
  const sizes = breakDown({ linears, tensors, shards })
  expect(sizes).toEqual({
    codes: 7,
    signs: 20,
    second: 10,
    bitmaps: 0,
    scales: 16,
    order: 20,
    embeddings: 100,
    rest: 8,
    headers: 19,
  })
  expect(Object.values(sizes).reduce((a, b) => a + b)).toBe(200)
})

test('every byte of the files has one linear, or none', () => {
  const name = (kind: string) => `model.layers.3.${kind}`
  const tensors: Model['tensors'] = new Map([
    [name('q.sign'), tensor(10)],
    [name('q.row_scale'), tensor(4)],
    [name('order'), tensor(20)],
    [name('k.sign'), tensor(10)],
    [name('k.row_scale'), tensor(4)],
    [name('o.weight'), { ...tensor(60), shape: [6, 5] }],
    [name('norm.weight'), tensor(8)],
    [name('q.bias'), tensor(2)],
    ['model.embed_tokens.weight', tensor(100)],
    ['model.norm.weight', tensor(8)],
  ])
  const common = { rows: 1, columns: 10, scale_type: 'f16', blocksize: 128, column_scales: false } as const
  const layout = { method: 'signum-rc', ...common, second_columns: 0, order: name('order') } as const
  const linears: Model['linears'] = new Map([
    [name('q'), layout],
    [name('k'), layout],
  ])
  const shards = new Map([['a', { file: { size: 240 } }]]) as unknown as Model['shards']
  const found = breakDownLinears({ linears, tensors, shards })
  const none = { codes: 0, signs: 0, second: 0, bitmaps: 0, scales: 0, order: 0, kept: 0 }
  expect(found).toEqual({
    linears: [
      { ...none, name: name('q'), layer: 3, kind: 'q', signs: 10, scales: 4, order: 10 },
      { ...none, name: name('k'), layer: 3, kind: 'k', signs: 10, scales: 4, order: 10 },
      { ...none, name: name('o'), layer: 3, kind: 'o', kept: 60 },
    ],
    layers: [{ layer: 3, rest: 10 }],
    embeddings: 100,
    rest: 8,
    headers: 14,
  })
})
