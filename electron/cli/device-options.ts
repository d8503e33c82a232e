// Where a command computes: the options that several commands have, and what they mean.
import { deviceWishSchema, precisions, type Precision } from '../contract/devices.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Option, Values } from './options.ts'
import { chosen } from './recipe-options.ts'

export const deviceOption: Option = {
  name: 'device',
  value: 'D',
  kind: 'text',
  help: 'Where it computes: auto (a card where it fits, else the processor), cpu or cuda:N (default as in the settings: auto).',
}

export const precisionOption: Option = {
  name: 'precision',
  value: 'P',
  kind: 'text',
  help: `Arithmetic of a card's products: ${precisions.join(', ')} (default f32).`,
}

export type OnDevice = { device?: string; precision?: Precision }

export function deviceFrom(values: Values): Result<OnDevice> {
  const device = values.text('device')
  if (device !== undefined && !deviceWishSchema.safeParse(device).success) {
    return failure('option_invalid', `--device must be auto, cpu or cuda:N, not '${device}'.`)
  }
  const precision = chosen(values, 'precision', precisions)
  if (!precision.ok) return precision
  return success({
    ...(device === undefined ? {} : { device }),
    ...(precision.value === null ? {} : { precision: precision.value }),
  })
}
