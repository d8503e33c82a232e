// Tables as Markdown whose columns also line up in a terminal: the same text goes on the screen and into the README.

export type Column = { title: string; align: 'left' | 'right' }

export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map(({ title }) => escaped(title))
  const cells = rows.map((row) => row.map(escaped))
  const widths = titles.map((title, i) => Math.max(3, title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${columns.map(({ align }, i) => pad(row[i] ?? '', widths[i]!, align)).join(' | ')} |`
  const rules = columns.map(({ align }, i) => '-'.repeat(widths[i]! + 1) + (align === 'right' ? ':' : '-'))
  return [line(titles), `|${rules.join('|')}|`, ...cells.map(line)].join('\n')
}

const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const pad = (text: string, width: number, align: Column['align']) =>
  align === 'right' ? text.padStart(width) : text.padEnd(width)
