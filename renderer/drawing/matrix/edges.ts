// Numbers along the edges of a matrix, as strips of colour that lie where its columns and rows lie. Pure.
import type { Edge } from '../../../electron/contract/pictures.ts'
import { colourAt, divergingTable, tableOf, type Table } from '../colours.ts'

export const edgeSides = ['above', 'below', 'left'] as const
export type EdgeSide = (typeof edgeSides)[number]

/** [strips, length] of an edge. */
export type EdgeNumbers = { edge: Edge; values: Float32Array; length: number }
export type EdgeStrips = Partial<Record<EdgeSide, EdgeNumbers>>

export type EdgeScale = { low: number; high: number; log: boolean; table: Table }

/** Smaller ones than this part of the largest Hessian weight have the last colour. */
const decades = 1e-8

/** One scale for all of these, which have one quantity. */
export function edgeScale(numbers: readonly EdgeNumbers[], dark: boolean): EdgeScale {
  const quantity = numbers[0]?.edge.quantity ?? 'scale'
  let least = Infinity
  let most = -Infinity
  let size = 0
  for (const { values } of numbers) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue
      size = Math.max(size, Math.abs(value))
      most = Math.max(most, value)
      if (quantity !== 'hessian' || value > 0) least = Math.min(least, value)
    }
  }
  if (most < least) return { low: 0, high: 0, log: false, table: tableOf('viridis') }
  switch (quantity) {
    case 'hessian':
      return { low: Math.max(least, most * decades), high: most, log: true, table: tableOf('viridis') }
    case 'mean':
      return { low: -size, high: size, log: false, table: divergingTable(dark) }
    case 'count':
    case 'mark':
    case 'error':
      return { low: 0, high: most, log: false, table: tableOf('viridis') }
    case 'scale':
      return { low: least, high: most, log: false, table: tableOf('viridis') }
  }
}

/** 0 to 1; null where there is no number. */
export function placeOn({ low, high, log }: EdgeScale, value: number): number | null {
  if (Number.isNaN(value)) return null
  if (high <= low) return 0.5
  const share = log ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low)
  return Math.min(1, Math.max(0, share))
}

/** From a place in pixels to one in numbers: `start` is where the first number begins, `cell` the pixels of one. */
export type Along = { start: number; cell: number; pixels: number }

/**
 * What each pixel shows of one strip: of the numbers under it the one that is furthest from 0, so that a single one does not vanish; NaN
 * outside.
 */
export function pixelsOf(values: Float32Array, { start, cell, pixels }: Along): Float32Array {
  const shown = new Float32Array(pixels).fill(NaN)
  for (let x = 0; x < pixels; x++) {
    const first = Math.floor((x - start) / cell)
    const end = Math.max(first + 1, Math.ceil((x + 1 - start) / cell))
    let found = NaN
    for (let k = Math.max(0, first); k < Math.min(values.length, end); k++) {
      const value = values[k]!
      if (Number.isNaN(found) || Math.abs(value) > Math.abs(found)) found = value
    }
    shown[x] = found
  }
  return shown
}

type Level = { values: Float32Array; length: number }
const levels = new WeakMap<Float32Array, Level[]>()

/** Where many numbers share a pixel: pairs of neighbours, pairs of pairs, ..., each by the one that is furthest from 0. */
export function reduced({ values, length, edge }: EdgeNumbers, level: number): Level {
  const known = levels.get(values) ?? [{ values, length }]
  levels.set(values, known)
  while (known.length <= level) {
    const from = known.at(-1)!
    const half = Math.ceil(from.length / 2)
    const next = new Float32Array(edge.strips * half)
    for (let strip = 0; strip < edge.strips; strip++) {
      for (let k = 0; k < half; k++) {
        const at = strip * from.length + 2 * k
        const [a, b] = [from.values[at]!, 2 * k + 1 < from.length ? from.values[at + 1]! : NaN]
        next[strip * half + k] = Number.isNaN(a) || Math.abs(b) > Math.abs(a) ? b : a
      }
    }
    known.push({ values: next, length: half })
  }
  return known[level]!
}

/** Pixels of strips that lie along x, or, turned, along y: RGBA, transparent where there is no number. */
export function paintStrips(
  numbers: EdgeNumbers,
  scale: EdgeScale,
  { start, cell, pixels }: Along,
  across: number,
  turned: boolean,
): Uint8ClampedArray<ArrayBuffer> {
  const level = Math.max(0, Math.floor(-Math.log2(cell)))
  const { values, length } = reduced(numbers, level)
  const { strips } = numbers.edge
  const along = { start, cell: cell * 2 ** level, pixels }
  const [width, height] = turned ? [across, pixels] : [pixels, across]
  const data = new Uint8ClampedArray(4 * width * height)
  for (let y = 0; y < across; y++) {
    const strip = Math.floor((y * strips) / across)
    const before = y > 0 && Math.floor(((y - 1) * strips) / across) === strip
    const shown = before ? null : pixelsOf(values.subarray(strip * length, (strip + 1) * length), along)
    for (let x = 0; x < pixels; x++) {
      const at = 4 * (turned ? x * width + y : y * width + x)
      if (shown === null) {
        const from = turned ? at - 4 : at - 4 * width
        data.copyWithin(at, from, from + 4)
        continue
      }
      const place = placeOn(scale, shown[x]!)
      if (place === null) continue
      const [red, green, blue] = colourAt(scale.table, place)
      data.set([red, green, blue, 255], at)
    }
  }
  return data
}

/** Pixels that strips take across: wide enough to tell blocks apart where they are few. */
export const acrossOf = (strips: number) => Math.min(40, Math.max(12, 4 * strips))

export type Blocked = { blocksize: number; ordered: boolean }

/**
 * What an edge has for a weight: one number; several where its columns are stored in another order, and nobody knows here in which block
 * this one is.
 */
export function numbersFor(
  { values, length, edge }: EdgeNumbers,
  { row, column }: { row: number; column: number },
  { blocksize, ordered }: Blocked,
): number[] {
  if (edge.along === 'columns') return [values[column] ?? NaN]
  const strips = Array.from({ length: edge.strips }, (_, block) => values[block * length + row] ?? NaN)
  if (strips.length === 1) return strips
  return ordered ? strips : [strips[Math.floor(column / blocksize)] ?? NaN]
}

export function edgeText(numbers: readonly number[], text: (value: number) => string): string {
  const known = numbers.filter((value) => !Number.isNaN(value))
  if (known.length === 0) return '–'
  const [low, high] = [Math.min(...known), Math.max(...known)]
  return low === high ? text(low) : `${text(low)} to ${text(high)}`
}

export const sideNames: Record<EdgeSide, string> = { above: 'Above', below: 'Below', left: 'Left' }

/** A line under a saved picture; none where there are no edges. */
export function edgeCaption(edges: EdgeStrips): string[] {
  const named = edgeSides.flatMap((side) =>
    edges[side] ? [`${sideNames[side].toLowerCase()}: ${edges[side].edge.title}`] : [],
  )
  return named.length === 0 ? [] : [`Along the edges, ${named.join('; ')}`]
}
