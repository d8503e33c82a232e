import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stopsOf } from './stops.ts'

/** What is told in the end, and after which piece it was stopped. */
function play(stops: string[], texts: string[]) {
  const all = stopsOf(stops)
  let told = ''
  for (const [id, text] of texts.entries()) {
    const { pieces, stopped } = all.take({ id, text })
    told += pieces.map((piece) => piece.text).join('')
    if (stopped) return { told, stopped: id }
  }
  const rest = all.rest().map((piece) => piece.text)
  return { told: told + rest.join(''), stopped: null }
}

test('a text ends before the first stop text, wherever the tokens divide it', () => {
  expect(play(['\nUser:'], ['Hello', '\n', 'User', ': hi'])).toEqual({ told: 'Hello', stopped: 3 })
  expect(play(['.'], ['One. Two.'])).toEqual({ told: 'One', stopped: 0 })
  expect(play(['ab', 'b'], ['a', 'b'])).toEqual({ told: '', stopped: 1 })
})

test('what only began like one is told', () => {
  expect(play(['\nUser:'], ['a', '\nUs', 'e it'])).toEqual({ told: 'a\nUse it', stopped: null })
  expect(play(['\nUser:'], ['a', '\nUser'])).toEqual({ told: 'a\nUser', stopped: null })
  expect(play(['aab'], ['a', 'a', 'a', 'b'])).toEqual({ told: 'a', stopped: 3 })
})

test('without stop texts every piece is told at once', () => {
  const stops = stopsOf([])
  expect(stops.take({ id: 7, text: 'a' })).toEqual({ pieces: [{ id: 7, text: 'a' }], stopped: false })
  // A part of a character has no text yet.
  expect(stops.take({ id: 8, text: '' })).toEqual({ pieces: [{ id: 8, text: '' }], stopped: false })
})

test('the same as looking for the stop text in the whole', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 3 })
  const some = fc.array(
    letters.filter((text) => text !== ''),
    { maxLength: 3 },
  )
  fc.assert(
    fc.property(some, fc.array(letters, { maxLength: 12 }), (stops, texts) => {
      const whole = texts.join('')
      const places = stops.map((stop) => whole.indexOf(stop)).filter((place) => place >= 0)
      const { told, stopped } = play(stops, texts)
      expect(stopped !== null).toBe(places.length > 0)
      // A stop text that comes to its end first is found first: nothing behind it was looked at.
      if (places.length === 0) expect(told).toBe(whole)
      else {
        expect(whole.startsWith(told)).toBe(true)
        expect(stops.some((stop) => whole.startsWith(stop, told.length))).toBe(true)
        expect(stops.some((stop) => told.includes(stop))).toBe(false)
      }
    }),
    { numRuns: 1000 },
  )
})
