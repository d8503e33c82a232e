import fc from 'fast-check'
import { expect, test } from 'vitest'
import { delta } from './deltas.ts'

const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 })

test('as they are written', () => {
  expect(delta(1.13, 2.25, 'absolute')).toEqual({ text: '\u22121.12', verdict: 'better' })
  expect(delta(40, 17.8, 'absolute')).toEqual({ text: '+22.20', verdict: 'worse' })
  expect(delta(3e6, 2e6, 'relative')).toEqual({ text: '+50.0 %', verdict: 'worse' })
  expect(delta(6e6, 2e6, 'relative')).toEqual({ text: '+200 %', verdict: 'worse' })
  expect(delta(2.4e9, 18, 'absolute')).toEqual({ text: '+2.4e+9', verdict: 'worse' })
  expect(delta(0.2, 0.1, 'absolute', 4)?.text).toBe('+0.1000')
  expect(delta(17, 17, 'absolute')).toEqual({ text: '=', verdict: 'same' })
})

test('nothing to compare', () => {
  expect(delta(null, 1, 'absolute')).toBeNull()
  expect(delta(1, null, 'relative')).toBeNull()
  expect(delta(1, Infinity, 'absolute')).toBeNull()
  expect(delta(1, 0, 'relative')).toBeNull()
})

test('sign and verdict say which of the two is larger', () => {
  fc.assert(
    fc.property(number, number, fc.constantFrom('relative' as const, 'absolute' as const), (value, base, kind) => {
      const found = delta(value, base, kind)
      if (found === null) return
      const first = value < base ? '\u2212' : value > base ? '+' : '='
      expect(found.text[0]).toBe(first)
      expect(found.verdict).toBe({ '\u2212': 'better', '+': 'worse', '=': 'same' }[first])
    }),
  )
})

test('the other way round the sign turns and the size stays', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [there, back] = [delta(a, b, 'absolute')!.text, delta(b, a, 'absolute')!.text]
      expect(there.slice(1)).toBe(back.slice(1))
      if (a !== b) expect(there[0]).not.toBe(back[0])
    }),
  )
})
