import { expect, test } from 'vitest'
import type { PicturedLinear } from '../../../electron/contract/pictures.ts'
import { captionOf } from './caption.ts'
import { legendOf } from './legend.ts'
import { coatOf, isVeil, overlayCoat, overlayLegend, overlaysOf, overlaysOver } from './overlays.ts'
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
  expect(captionOf({ title: 'night run', linear, kind: 'original' }, legend('original'), [])).toEqual([
    'Original, model.layers.3.mlp.up_proj',
    'night run (arb-rc), 768 rows × 256 columns',
    'Weight: −0.50 to 0.50',
  ])
  const seen = { spread: 1, follow: true, level: 0 }
  const over = [
    overlayLegend({ linear, kind: 'error', scale }, 0.4, true, seen),
    overlayLegend({ linear, kind: 'salient', scale }, 0.55, true, seen),
  ]
  expect(captionOf({ title: 'night run', linear, kind: 'sign' }, legend('sign'), over, 0.0078).slice(2)).toEqual([
    'Sign: +1, −1; sampled, 0.78 % of the rows',
    'over it at 40 %: Error (Size of the error: 0 to 0.25)',
    'over it at 55 %: Salient columns',
  ])
})

test('nothing is laid over itself, or where there is nothing to lay', () => {
  const all = { error: 1, salient: 1, group: 1, flipped: 1 }
  expect(overlaysOver('sign', linear, all)).toEqual(['error', 'group', 'salient'])
  expect(overlaysOver('sign', linear, all, '1@2')).toEqual(['error', 'group', 'salient', 'flipped'])
  expect(overlaysOver('group', linear, all)).toEqual(['error', 'salient'])
  expect(overlaysOver('sign', { ...linear, pictures: ['sign', 'group'] }, { ...all, group: 0 })).toEqual([])
  expect(overlaysOf(linear, '1@2').filter((kind) => !linear.pictures.includes(kind))).toEqual(['change', 'flipped'])
  expect(overlaysOf(linear, '1@original').filter((kind) => !linear.pictures.includes(kind))).toEqual(['flipped'])
  expect(overlaysOf(linear)).toEqual(['original', 'quantized', 'error', 'sign', 'group', 'salient'])
})

test('what marks weights leaves the others alone; pictures are laid over whole, but for what they lack', () => {
  const scale = { weight: 0.5, error: 0.25 }
  const veil = overlayCoat({ linear, kind: 'salient', scale }, 0.5, true, 1, true)
  expect([veil.opacity, veil.none, veil.table[3], veil.table[4 * 255 + 3]]).toEqual([1, null, 0, 128])
  const error = overlayCoat({ linear, kind: 'error', scale }, 0.5, true, 1, true)
  expect([error.opacity, error.none, error.table[3]]).toEqual([0.5, null, 255])
  expect([isVeil('mask'), isVeil('sign')]).toEqual([true, false])
  const base = coatOf(paintOf({ linear, kind: 'sign', scale }, true, 1, true))
  expect([base.opacity, base.none]).not.toContain(null)
})
