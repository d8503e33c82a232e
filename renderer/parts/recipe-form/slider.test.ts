import { expect, it } from 'vitest'
import { methods } from '../../../electron/contract/methods.ts'
import { checkValue } from '../../../electron/contract/parameters.ts'
import { slideOf } from './slider.ts'

const all = methods.flatMap(({ id, parameters }) => parameters.map((parameter) => ({ id, parameter })))

it('stops only at values that the parameter may have', () => {
  for (const { id, parameter } of all) {
    const slide = slideOf(parameter)
    if (!slide) continue
    const { min, max, step } = slide
    for (let k = 0; min + k * step <= max; k++) {
      expect(checkValue(parameter, Number((min + k * step).toPrecision(6))).ok, `${id} ${parameter.key}`).toBe(true)
    }
  }
})

it('moves shares and small numbers, not what spans many powers of ten', () => {
  const of = (key: string) => slideOf(all.find(({ parameter }) => parameter.key === key)!.parameter)
  expect(of('second_plane')).toEqual({ min: 0, max: 1, step: 0.01 })
  expect(of('blocksize')?.step).toBe(32)
  expect(of('damping')).toBeNull()
  expect(of('scale_type')).toBeNull()
})
