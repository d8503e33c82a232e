// What the bytes of a packed model's files are for: names and colours, the same wherever they are shown.
import { size } from '../../electron/contract/quantities.ts'
import type { FileBytes } from '../../electron/contract/records.ts'

type Named = { name: string; colour: string }

/** In the order of a bar: what the method stores, then what stays as it was. */
const named: Record<keyof FileBytes, Named> = {
  codes: { name: 'Codes', colour: 'light-dark(#0072b2, #56a8dc)' },
  signs: { name: 'Signs', colour: 'light-dark(#0072b2, #56a8dc)' },
  second: { name: 'Second plane', colour: 'light-dark(#007a5a, #3dbf97)' },
  bitmaps: { name: 'Bitmaps', colour: 'light-dark(#8a6d00, #d8b93a)' },
  scales: { name: 'Scales', colour: 'light-dark(#c75000, #f08a4b)' },
  order: { name: 'Column order', colour: 'light-dark(#a8437f, #dd86b9)' },
  embeddings: { name: 'Embeddings', colour: 'light-dark(#6f7785, #98a1af)' },
  rest: { name: 'Norms and the rest', colour: 'light-dark(#9aa1ac, #6b7482)' },
  headers: { name: 'Headers', colour: 'light-dark(#c3c8d0, #4a515c)' },
}

/** The same for the parts of linears. */
export const partLooks: Record<keyof FileBytes | 'kept', Named> = {
  ...named,
  kept: { name: 'Kept as stored', colour: 'light-dark(#5b6470, #aab3bf)' },
}

export type FilePart = Named & { key: keyof FileBytes; value: number; text: string }

/** Without what there is nothing of. */
export const fileParts = (bytes: FileBytes): FilePart[] =>
  (Object.keys(named) as (keyof FileBytes)[])
    .filter((key) => bytes[key] > 0)
    .map((key) => ({ ...named[key], key, value: bytes[key], text: size(Math.round(bytes[key])) }))
