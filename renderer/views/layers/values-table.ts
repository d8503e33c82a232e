// Weights of a picture as a table for a spreadsheet: what is in view, a row, a column. Pure.
import { packedAt, packedValue, weightsOf } from '../../../electron/contract/packed-tile.ts'
import {
  encodingOf,
  tileShape,
  tileSize,
  type PicturedLinear,
  type PictureKind,
  type Shape,
  type TilePlace,
} from '../../../electron/contract/pictures.ts'
import type { Cell, Table } from '../../drawing/csv.ts'
import type { Range } from '../../drawing/matrix/camera.svelte.ts'
import { groupName, valueOf } from '../../drawing/matrix/paint.ts'
import type { TileData } from '../../drawing/matrix/tile-store.ts'

/** A part of a matrix, in weights. */
export type Part = { rows: Range; columns: Range }

/** More than these no spreadsheet opens gladly. */
export const mostWeights = 250_000

const lengthOf = ({ first, last }: Range) => last - first + 1

/** Why it is not written; null: it may be. */
export function tooLarge({ rows, columns }: Part): string | null {
  const weights = lengthOf(rows) * lengthOf(columns)
  if (weights <= mostWeights) return null
  const [has, most] = [weights, mostWeights].map((count) => count.toLocaleString('en-US'))
  return `In view are ${has} weights, and a CSV file takes up to ${most}: zoom in, or save the row or column that is pointed at.`
}

/** The tiles of level 0 that have the part. */
export function tilesOf(shape: Shape, kind: PictureKind, { rows, columns }: Part): TilePlace[] {
  const range = ({ first, last }: Range) => {
    const from = Math.floor(first / tileSize)
    return Array.from({ length: Math.floor(last / tileSize) - from + 1 }, (_, k) => from + k)
  }
  const down = kind === 'salient' ? [0] : range(rows)
  return down
    .flatMap((row) => range(columns).map((column) => ({ level: 0, row, column })))
    .filter((place) => tileShape(shape, kind, place) !== null)
}

export type Tile = { place: TilePlace; data: TileData }

/** The bytes of a tile of level 0, as they travel. */
export function tileData(linear: PicturedLinear, kind: PictureKind, bytes: ArrayBuffer): TileData {
  if (packedAt(linear, kind, 0)) return new Uint32Array(bytes)
  return encodingOf(kind) === 'share' ? new Uint8Array(bytes) : new Float32Array(bytes)
}

/** What a weight of a picture is in a spreadsheet: a number as it is, a sign as 1 or -1, another bit as 1 or 0, a group by its name. */
export function cellValue(kind: PictureKind, value: number, groups: number): Cell {
  if (Number.isNaN(value)) return null
  if (kind === 'sign' || kind === 'second') return value === 1 ? 1 : -1
  if (kind !== 'group') return value
  return groupName({ place: Math.round((1 - value) * (groups - 1)), of: groups })
}

type ValueAt = (row: number, column: number) => Cell

export function valueAt(linear: PicturedLinear, kind: PictureKind, tiles: readonly Tile[]): ValueAt {
  const byPlace = new Map(tiles.map(({ place, data }) => [`${place.row}/${place.column}`, data]))
  const packing = packedAt(linear, kind, 0)
  return (row, column) => {
    const down = kind === 'salient' ? 0 : row
    const place = { level: 0, row: Math.floor(down / tileSize), column: Math.floor(column / tileSize) }
    const data = byPlace.get(`${place.row}/${place.column}`)
    if (!data) return null
    const [i, j] = [down % tileSize, column % tileSize]
    const value =
      packing && data instanceof Uint32Array
        ? packedValue(data, weightsOf(linear, place)!, packing, i, j)
        : valueOf(kind, data[i * tileShape(linear, kind, place)!.columns + j]!)
    return cellValue(kind, value, linear.groups ?? 1)
  }
}

const count = (range: Range) => Array.from({ length: lengthOf(range) }, (_, k) => range.first + k)

/** A line for each row, a field for each column, with their places. */
export function partTable({ rows, columns }: Part, at: ValueAt): Table {
  const across = count(columns)
  return {
    columns: ['row', ...across.map(String)],
    rows: count(rows).map((row) => [row, ...across.map((column) => at(row, column))]),
  }
}

/** Of one row, or one column: a line for each weight. */
export function lineTable(kind: PictureKind, { rows, columns }: Part, at: ValueAt): Table {
  const across = lengthOf(rows) === 1
  return {
    columns: [across ? 'column' : 'row', kind],
    rows: across
      ? count(columns).map((column) => [column, at(rows.first, column)])
      : count(rows).map((row) => [row, at(row, columns.first)]),
  }
}
