// Tables as files for a spreadsheet (RFC 4180): the one place that writes them. Pure.
export type Cell = string | number | boolean | null
export type Table = { columns: readonly string[]; rows: readonly (readonly Cell[])[] }

/** Numbers in full; a field that is not there is empty. */
export const csv = ({ columns, rows }: Table): string =>
  [columns, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')

const field = (value: Cell): string => {
  const text = String(value ?? '')
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvBytes = (table: Table): Uint8Array<ArrayBuffer> => new TextEncoder().encode(csv(table))

/** A name that every file system takes, of what a thing is called. `ending`: without the dot. */
export const fileName = (title: string, ending: string): string =>
  `${
    title
      .replace(/[^\p{L}\p{N}_.=,-]+/gu, ' ')
      .replace(/^[\s.]+|[\s.]+$/g, '')
      .slice(0, 120)
      .trim() || 'untitled'
  }.${ending}`
