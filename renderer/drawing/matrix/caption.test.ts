import { expect, test } from 'vitest'
import type { PicturedLinear } from '../../../electron/contract/pictures.ts'
import { captionOf } from './caption.ts'
import { legendOf } from './legend.ts'
import { overlaysOver } from './overlays.ts'
import { paintOf } from './paint.ts'

const linear: PicturedLinear = {
  name: 'model.layers.3.mlp.up_proj',
  layer: 3,
  kind: 'up_proj',
  rows: 768,
  columns: 256,
  method: 'arb-rc',
  blocksize: 128,
  ordered: false,
  pictures: ['original', 'quantized', 'error', 'sign', 'salient', 'group'],
  code_bits: null,
  second_columns: 3,
  groups: 2,
  salient_weights: 0,
}

test('a caption says what, of which run, and in which scale', () => {
  const scale = { weight: 0.5, error: 0.25 }
  const legend = (kind: 'original' | 'sign') => legendOf(kind, paintOf({ linear, kind, scale }, true, 1, true), 0)
  expect(captionOf({ title: 'night run', linear, kind: 'original' }, legend('original'), {})).toEqual([
    'Original, model.layers.3.mlp.up_proj',
    'night run (arb-rc), 768 rows × 256 columns',
    'Weight: −0.50 to 0.50',
  ])
  const marked = { salient: 0.5, group: 0 }
  expect(captionOf({ title: 'night run', linear, kind: 'sign' }, legend('sign'), marked).at(-1)).toBe(
    'Sign: +1, −1; Salient columns marked',
  )
})

test('nothing is laid over itself, or where there is nothing to lay', () => {
  const all = { salient: 1, group: 1 }
  expect(overlaysOver('sign', linear, all)).toEqual(['salient', 'group'])
  expect(overlaysOver('group', linear, all)).toEqual(['salient'])
  expect(overlaysOver('sign', { ...linear, pictures: ['sign', 'group'] }, all)).toEqual(['group'])
})
