// Where every linear of a model lies on its map: a row per decoder layer, tiles as wide as their share of the weights. Pure.
import { inBlockOrder, kindName } from '../kind-colour.ts'

/** What the map needs of a linear; a layer report is one too. */
export type MapLinear = { name: string; layer: number; kind: string; rows: number; columns: number }
export type MapTile<L extends MapLinear> = { linear: L; /** Of the widest row. */ share: number }
export type MapRow<L extends MapLinear> = { layer: number; tiles: MapTile<L>[] }

export function mapRows<L extends MapLinear>(linears: readonly L[]): MapRow<L>[] {
  const order = inBlockOrder(linears.map(({ kind }) => kind))
  const layers = new Map<number, L[]>()
  for (const linear of linears) {
    const row = layers.get(linear.layer)
    if (row) row.push(linear)
    else layers.set(linear.layer, [linear])
  }
  const weights = (row: readonly MapLinear[]) => row.reduce((sum, { rows, columns }) => sum + rows * columns, 0)
  const widest = Math.max(1, ...[...layers.values()].map(weights))
  return [...layers]
    .sort(([a], [b]) => a - b)
    .map(([layer, row]) => ({
      layer,
      tiles: row
        .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
        .map((linear) => ({ linear, share: weights([linear]) / widest })),
    }))
}

/** Pixels: a handful of layers get rows that are easy to hit, a hundred stay on one screen, closer where there is less `room`. */
export const rowHeight = (layers: number, room = 420): number =>
  Math.max(room < 420 ? 4 : 6, Math.min(40, Math.floor(room / Math.max(1, layers))))

/** Every how many layers a row has its number written beside it, so that numbers do not touch. */
export const labelEvery = (height: number): number => (height >= 13 ? 1 : height >= 7 ? 2 : 5) * (height >= 10 ? 1 : 2)

/** The end of a scale from 0 that still holds `value`: seldom another one while values come in. */
export function scaleEnd(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return (
    [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]
      .map((step) => Number((step * power).toPrecision(2)))
      .find((end) => end >= value * (1 - 1e-9)) ?? 10 * power
  )
}

/** The ends of a scale that holds all of them: from 0, or round numbers around the smallest and the largest. */
export function scaleRange(values: readonly number[], fromZero: boolean): { low: number; high: number } {
  const high = Math.max(0, ...values)
  const least = Math.min(high, ...values)
  if (fromZero || high - least <= 1e-9 * high) return { low: 0, high: scaleEnd(high) }
  const step = scaleEnd((high - least) / 8)
  const round = (steps: number) => Number((steps * step).toPrecision(6))
  return { low: round(Math.floor(least / step + 1e-9)), high: round(Math.ceil(high / step - 1e-9)) }
}

export type Cell = { row: number; column: number }

export function cellOf<L extends MapLinear>(rows: readonly MapRow<L>[], name: string): Cell | null {
  for (const [row, { tiles }] of rows.entries()) {
    const column = tiles.findIndex(({ linear }) => linear.name === name)
    if (column >= 0) return { row, column }
  }
  return null
}

/** Where a key leads from a tile; null where it is none of the map's keys. Up and down keep to the kind of linear. */
export function step<L extends MapLinear>(rows: readonly MapRow<L>[], from: Cell, key: string): Cell | null {
  const width = rows[from.row]?.tiles.length ?? 0
  const within = (value: number, length: number) => Math.max(0, Math.min(length - 1, value))
  const inRow = (row: number): Cell => {
    const kind = rows[from.row]?.tiles[from.column]?.linear.kind
    const tiles = rows[row]?.tiles ?? []
    const same = tiles.findIndex(({ linear }) => linear.kind === kind)
    return { row, column: same < 0 ? within(from.column, tiles.length) : same }
  }
  switch (key) {
    case 'ArrowLeft':
      return { ...from, column: within(from.column - 1, width) }
    case 'ArrowRight':
      return { ...from, column: within(from.column + 1, width) }
    case 'Home':
      return { ...from, column: 0 }
    case 'End':
      return { ...from, column: Math.max(0, width - 1) }
    case 'ArrowUp':
      return inRow(within(from.row - 1, rows.length))
    case 'ArrowDown':
      return inRow(within(from.row + 1, rows.length))
    case 'PageUp':
      return inRow(within(from.row - 10, rows.length))
    case 'PageDown':
      return inRow(within(from.row + 10, rows.length))
    default:
      return null
  }
}

/** Name and shape, as every tile is called. */
export const tileName = ({ layer, kind, rows, columns }: MapLinear): string =>
  `Layer ${layer}, ${kindName(kind)}, ${rows} × ${columns}`
