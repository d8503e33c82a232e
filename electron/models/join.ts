// How the lines of a text, or the documents of a file, become one text.
import type { Join } from '../contract/recipe.ts'

export const joiners: Record<Exclude<Join, 'raw'>, string> = { space: ' ', 'blank-line': '\n\n' }

/**
 * A raw text as Hugging Face's datasets hold WikiText: every line is a row with its newline, a line of spaces alone is an
 * empty row. The published programs join these rows.
 */
export function datasetRows(text: string): string[] {
  const lines = text.replaceAll(/\r\n?/g, '\n').match(/[^\n]*\n|[^\n]+$/g) ?? []
  return lines.map((line) => (line.trim() === '' ? '' : line))
}

export const joinLines = (text: string, join: Join): string =>
  join === 'raw' ? text : datasetRows(text).join(joiners[join])
