// The evaluation texts of the runs at hand.
import { sourceName, type Row } from './row.ts'

export type Text = { key: string; source: string; name: string; window: number; runs: number }

/** Those with the most runs first; the window stands in the name only where one source was measured with several. */
export function textsOf(rows: readonly Row[]): Text[] {
  const found = new Map<string, Text>()
  for (const { texts } of rows) {
    for (const key of texts.keys()) {
      const before = found.get(key)
      if (before) before.runs++
      else found.set(key, describe(key))
    }
  }
  const all = [...found.values()].sort((a, b) => b.runs - a.runs || (a.key < b.key ? -1 : 1))
  for (const text of all) {
    const others = all.filter((other) => other !== text && sourceName(other.source) === sourceName(text.source))
    if (others.some(({ window }) => window !== text.window)) text.name += `, ${text.window}`
  }
  return all
}

function describe(key: string): Text {
  const space = key.indexOf(' ')
  const source = key.slice(space + 1)
  return { key, source, name: sourceName(source), window: Number(key.slice(0, space)), runs: 1 }
}
