import fc from 'fast-check'
import { expect, test } from 'vitest'
import { gap, parseLine } from './lines.ts'

const event = (fields: object) => JSON.stringify({ seq: 0, elapsed: 0.5, ...fields })
const warningOf = (line: string) => {
  const parsed = parseLine(line)
  return parsed !== null && 'warning' in parsed ? `${parsed.warning.code}: ${parsed.warning.message}` : 'no warning'
}

test('a line of the protocol is an event; fields of later versions are left out', () => {
  expect(parseLine(event({ event: 'saved', layer: 2, file: 'a', bytes: 7, colour: 'red' }))).toEqual({
    event: { seq: 0, elapsed: 0.5, event: 'saved', layer: 2, file: 'a', bytes: 7 },
  })
  expect(
    parseLine(event({ event: 'progress', phase: 'dream', done: 1, total: 2, unit: 'x', eta: null })),
  ).toMatchObject({
    event: { phase: 'dream', eta: null },
  })
  expect(parseLine('  ')).toBeNull()
})

test('what is not understood is a warning', () => {
  expect(warningOf('Segmentation fault')).toBe(
    'line_broken: The worker printed a line that is not JSON: Segmentation fault',
  )
  expect(warningOf(event({ event: 'sneeze' }))).toBe(
    "event_unknown: The worker reported 'sneeze', which this version does not know.",
  )
  expect(warningOf(event({ event: 'heartbeat', resident_bytes: 'many' }))).toMatch(/^line_broken: .*\(resident_bytes: /)
  expect(warningOf('{"event":"cancelled"}')).toMatch(/^line_broken: .*\(seq: /)
  expect(warningOf(`"${'x'.repeat(500)}"`).length).toBeLessThan(300)
})

test('no line can do harm', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void parseLine(line)))
})

test('missing events are noticed', () => {
  const parsed = parseLine(event({ event: 'cancelled' }))
  if (parsed === null || !('event' in parsed)) throw new Error('not parsed')
  expect(gap(0, parsed.event)).toBeNull()
  expect(gap(4, parsed.event)).toEqual({ code: 'events_missing', message: "The worker's events jump from 3 to 0." })
})
