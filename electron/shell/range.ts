// The header `Range` of a request: one range of bytes, or all.

export type Range = { begin: number; end: number }

/** `bytes=0-99`, `bytes=100-`, `bytes=-5`. Null: all of it. 'outside': nothing there, which is answered with 416. */
export function readRange(header: string | null, size: number): Range | null | 'outside' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  const [, first = '', last = ''] = match ?? []
  if (match === null || (first === '' && last === '')) return null
  if (first === '') {
    const count = Math.min(Number(last), size)
    return count === 0 ? 'outside' : { begin: size - count, end: size }
  }
  const begin = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  return begin < end ? { begin, end } : 'outside'
}
