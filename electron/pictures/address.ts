// Path of a picture -> what is asked for. Nothing of a path ever becomes part of a file's name: the run is a number, the linear
// a key of a map.
import { pictureKinds, type PictureKind, type TilePlace } from '../contract/pictures.ts'

export type Address = { run: number; linear: string } & (
  { what: 'tile'; kind: PictureKind; place: TilePlace } | { what: 'cell'; row: number; column: number }
)

const number = '(0|[1-9][0-9]{0,7})'
const start = `^/pictures/${number}/([A-Za-z0-9_.-]{1,200})`
const tile = new RegExp(`${start}/(${pictureKinds.join('|')})/${number}/${number}/${number}$`)
const cell = new RegExp(`${start}/cell/${number}/${number}$`)

/** Null for every other path, also for one that would mean the same after some decoding. */
export function parseAddress(pathname: string): Address | null {
  const [, run, linear, ...rest] = tile.exec(pathname) ?? cell.exec(pathname) ?? []
  if (run === undefined || linear === undefined || linear.includes('..')) return null
  const numbers = rest.map(Number)
  if (rest.length === 2) return { run: Number(run), linear, what: 'cell', row: numbers[0]!, column: numbers[1]! }
  const place = { level: numbers[1]!, row: numbers[2]!, column: numbers[3]! }
  return { run: Number(run), linear, what: 'tile', kind: rest[0] as PictureKind, place }
}
