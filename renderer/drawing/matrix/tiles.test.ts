import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tileShape, topLevel, type PictureKind, type TilePlace } from '../../../electron/contract/pictures.ts'
import { childrenOf, extentOf, levelFor, parentOf, standIns, visibleTiles, type Extent } from './tiles.ts'

const shape = { rows: 1000, columns: 2100 }
const everything: Extent = { left: -10, top: -10, right: 1e6, bottom: 1e6 }

test('the level has cells of one to two pixels, within the levels there are', () => {
  expect(topLevel(shape)).toBe(4)
  expect([96, 1, 0.99, 0.5, 0.49, 0.25, 0.01].map((cell) => levelFor(cell, shape))).toEqual([0, 0, 1, 1, 2, 2, 4])
  fc.assert(
    fc.property(fc.double({ min: 0.07, max: 0.999, noNaN: true }), (cell) => {
      const pixels = cell * 2 ** levelFor(cell, shape)
      expect(pixels).toBeGreaterThanOrEqual(1 - 1e-6)
      expect(pixels).toBeLessThan(2 + 1e-6)
    }),
  )
})

const key = ({ level, row, column }: TilePlace) => `${level}/${row}/${column}`

test('what is seen is covered, and nothing else is asked for', () => {
  const places = fc.record({
    left: fc.integer({ min: -3000, max: 3000 }),
    top: fc.integer({ min: -3000, max: 3000 }),
    width: fc.integer({ min: 1, max: 4000 }),
    height: fc.integer({ min: 1, max: 4000 }),
    level: fc.integer({ min: 0, max: 4 }),
    kind: fc.constantFrom<PictureKind>('sign', 'salient'),
  })
  fc.assert(
    fc.property(places, ({ left, top, width, height, level, kind }) => {
      const seen = { left, top, right: left + width, bottom: top + height }
      const tiles = visibleTiles(shape, kind, level, seen)
      const touches = (part: Extent) =>
        part.left < seen.right && part.right > seen.left && part.top < seen.bottom && part.bottom > seen.top
      const expected: string[] = []
      for (let row = 0; row < 4; row++) {
        for (let column = 0; column < 9; column++) {
          const place = { level, row, column }
          const part = extentOf(shape, kind, place)
          if (part && touches(part)) expected.push(key(place))
        }
      }
      expect(tiles.map(key).toSorted()).toEqual(expected.toSorted())
    }),
  )
})

test('the middle of the view comes first', () => {
  const [first] = visibleTiles(shape, 'sign', 0, { left: 900, top: 300, right: 1500, bottom: 800 })
  expect(first).toEqual({ level: 0, row: 2, column: 4 })
})

test('edge tiles end with the matrix; salient columns reach over all rows', () => {
  expect(extentOf(shape, 'error', { level: 1, row: 1, column: 4 })).toEqual({
    left: 2048,
    top: 512,
    right: 2100,
    bottom: 1000,
  })
  expect(extentOf(shape, 'salient', { level: 0, row: 0, column: 0 })).toEqual({
    left: 0,
    top: 0,
    right: 256,
    bottom: 1000,
  })
  expect(extentOf(shape, 'error', { level: 0, row: 4, column: 0 })).toBe(null)
})

test('parents and children hold each other', () => {
  for (const place of visibleTiles(shape, 'sign', 1, everything)) {
    const children = childrenOf(shape, 'sign', place)
    expect(children.map(parentOf)).toEqual(children.map(() => place))
    for (const child of children) expect(tileShape(shape, 'sign', child)).not.toBe(null)
  }
  expect(childrenOf(shape, 'sign', { level: 0, row: 0, column: 0 })).toEqual([])
})

test('a tile that is not there is never a hole where a coarser one is', () => {
  const place = { level: 1, row: 1, column: 2 }
  const there = new Set<string>()
  const drawn = () => standIns(shape, 'sign', place, (one) => there.has(key(one))).map((one) => key(one.place))
  expect(drawn()).toEqual([])
  there.add('4/0/0')
  expect(drawn()).toEqual(['4/0/0'])
  there.add('2/0/1')
  expect(drawn()).toEqual(['2/0/1'])
  there.add('0/3/4')
  expect(drawn()).toEqual(['2/0/1', '0/3/4'])
  there.add('1/1/2')
  expect(drawn()).toEqual(['1/1/2'])
})

test('a stand-in is drawn for no more than the tile that is missing', () => {
  const place = { level: 0, row: 3, column: 8 }
  const [only] = standIns(shape, 'sign', place, ({ level }) => level === 4)
  expect(only).toEqual({ place: { level: 4, row: 0, column: 0 }, part: extentOf(shape, 'sign', place) })
})
