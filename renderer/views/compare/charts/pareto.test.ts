import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dominates, pareto, type Point } from './pareto.ts'

// Few values, so that ties and equal points are common.
const points = fc.array(fc.record({ x: fc.integer({ min: 0, max: 6 }), y: fc.integer({ min: 0, max: 6 }) }))

test('the front of five runs', () => {
  const five: Point[] = [
    { x: 3, y: 20 },
    { x: 1, y: 90 },
    { x: 2, y: 95 },
    { x: 4, y: 20 },
    { x: 2, y: 40 },
  ]
  expect(pareto(five)).toEqual([1, 4, 0])
  expect(pareto([])).toEqual([])
})

test('exactly those that no other dominates are on the front', () => {
  fc.assert(
    fc.property(points, (all) => {
      const front = new Set(pareto(all))
      all.forEach((point, index) => expect(front.has(index)).toBe(!all.some((other) => dominates(other, point))))
    }),
  )
})

test('the front goes right and down, without turning', () => {
  fc.assert(
    fc.property(points, (all) => {
      const front = pareto(all).map((index) => all[index]!)
      front.slice(1).forEach((point, index) => {
        expect(point.x).toBeGreaterThanOrEqual(front[index]!.x)
        expect(point.y).toBeLessThanOrEqual(front[index]!.y)
      })
    }),
  )
})

test('the order of the runs changes nothing', () => {
  const text = (all: readonly Point[]) => pareto(all).map((index) => `${all[index]!.x} ${all[index]!.y}`)
  fc.assert(
    fc.property(
      points.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        expect(text(shuffled)).toEqual(text(all))
      },
    ),
  )
})
