// Path of a picture -> what is asked for. Nothing of a path ever becomes part of a file's name: the owner is a number with or
// without a word, the linear a key of a map.
import { isDifference, pictureKinds, type PictureKind, type PackedOwner, type TilePlace } from '../contract/pictures.ts'

/** `now`: from a few rows, where all of them would take longer. */
export type TileAsked = { kind: PictureKind; place: TilePlace; now: boolean }
export type Address = { owner: PackedOwner; linear: string } & (
  | ({ what: 'tile' } & TileAsked)
  | ({ what: 'difference'; other: number | 'original'; kind: 'flipped' | 'change' } & TileAsked)
  | { what: 'cell'; row: number; column: number }
  | { what: 'edge'; edge: string }
)

const number = '(0|[1-9][0-9]{0,7})'
const linearName = '([A-Za-z0-9_.-]{1,200})'
const start = `^/pictures/((?:trial-)?(?:0|[1-9][0-9]{0,7}))/${linearName}`
const place = `${number}/${number}/${number}(/now)?`
const tile = new RegExp(`${start}/(${pictureKinds.filter((kind) => !isDifference(kind)).join('|')})/${place}$`)
const pair = new RegExp(
  `^/pictures/${number}@(?:original|${number})/${linearName}/(${pictureKinds.filter(isDifference).join('|')})/${place}$`,
)
const cell = new RegExp(`${start}/cell/${number}/${number}$`)
const edge = new RegExp(`${start}/edge/([a-z0-9_-]{1,40})$`)

const ownerOf = (text: string): PackedOwner => (text.startsWith('trial-') ? (text as PackedOwner) : Number(text))

/** Null for every other path, also for one that would mean the same after some decoding. */
export function parseAddress(pathname: string): Address | null {
  const found = parsed(pathname)
  return found?.linear.includes('..') ? null : found
}

function parsed(pathname: string): Address | null {
  const a = tile.exec(pathname)
  if (a) return { ...named(a[1]!, a[2]!), what: 'tile', kind: a[3] as PictureKind, ...placeOf(a.slice(4)) }
  const b = pair.exec(pathname)
  if (b) return parsePair(b)
  const c = cell.exec(pathname)
  if (c) return { ...named(c[1]!, c[2]!), what: 'cell', row: Number(c[3]), column: Number(c[4]) }
  const d = edge.exec(pathname)
  return d && { ...named(d[1]!, d[2]!), what: 'edge', edge: d[3]! }
}

function parsePair(found: RegExpExecArray): Address | null {
  const [, run, second, linear, kind, ...rest] = found
  const other = second === undefined ? 'original' : Number(second)
  // A run does not differ from itself, and the original has no errors to compare with.
  if (other === Number(run) || (other === 'original' && kind === 'change')) return null
  return { ...named(run!, linear!), what: 'difference', other, kind: kind as 'flipped', ...placeOf(rest) }
}

const named = (owner: string, linear: string) => ({ owner: ownerOf(owner), linear })
const placeOf = ([level, row, column, now]: readonly (string | undefined)[]) => ({
  place: { level: Number(level), row: Number(row), column: Number(column) } satisfies TilePlace,
  now: now !== undefined,
})
