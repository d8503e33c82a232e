import { expect, test } from 'vitest'
import type { LayerReport } from '../../../electron/contract/records.ts'
import { fresh, type Live } from '../../client/live.ts'
import { rateOf } from './rate.ts'

const layers = new Map([0, 1, 2].map((layer) => [`l${layer}`, { layer, rows: 10, columns: 20 } as LayerReport]))
const plan = { resumed_layers: 1 } as Live['plan']

test('the rate is that of the worker at work, without the layers of those before it', () => {
  expect(rateOf({ ...fresh(), layers, plan, clock: { before: 6, now: 10 } })).toBe(100)
  expect(rateOf({ ...fresh(), plan, clock: { before: 6, now: 10 } })).toBeNull()
  expect(rateOf({ ...fresh(), layers, plan, clock: { before: 6, now: 6 } })).toBeNull()
})
