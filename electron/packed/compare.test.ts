import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compareLayerFile, layerDifferences } from './compare.ts'
import { testFolder } from './testing/folder.ts'
import { plane, scalars } from './testing/pack.ts'
import { tensor, writeShard } from './testing/write.ts'

const layout = {
  method: 'signum-rc',
  rows: 2,
  columns: 2,
  blocksize: 2,
  scale_type: 'f32',
  second_columns: 0,
  column_scales: false,
}

async function layerFile(...decoded: number[]): Promise<string> {
  const path = join(await testFolder(), 'layer.safetensors')
  await writeShard(
    path,
    { linear: layout },
    {
      'linear.row_scale': tensor('F32', [2, 1], scalars('f32', 1.5, 0)),
      decoded: tensor('F32', [2, decoded.length / 2], scalars('f32', ...decoded)),
      'linear.sign': tensor('U8', [2, 1], plane('01', '10')),
    },
  )
  return path
}

test('equal bits', async () => {
  expect(await compareLayerFile(await layerFile(-1.5, 1.5, 0, -0))).toBe(0)
})

test('a last bit and a sign of zero are differences', async () => {
  expect(await layerDifferences(await layerFile(-1.5, 1.5 + 2 ** -23, 0, 0))).toEqual({
    count: 2,
    first: [
      { row: 0, column: 1, ours: 0x3fc00000, native: 0x3fc00001 },
      { row: 1, column: 1, ours: 0x80000000, native: 0 },
    ],
  })
})

test('decoded of another shape', async () => {
  await expect(compareLayerFile(await layerFile(1, 2))).rejects.toMatchObject({ code: 'packed_broken' })
})
