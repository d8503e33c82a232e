// The evaluation texts of the runs at hand.
import { sourceName, type Row } from './row.ts'

export type Text = { key: string; source: string; name: string; window: number; protocol: string; runs: number }

/** Those with the most runs first; window and protocol stand in the name only where one source was measured with several. */
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
    const several = (key: 'window' | 'protocol') => others.some((other) => other[key] !== text[key])
    const [byWindow, byProtocol] = [several('window'), several('protocol')]
    if (byWindow) text.name += `, ${text.window}`
    if (byProtocol) text.name += `, ${text.protocol}`
  }
  return all
}

function describe(key: string): Text {
  const [protocol = '', window = '', ...words] = key.split(' ')
  const source = words.join(' ')
  return { key, source, name: sourceName(source), window: Number(window), protocol, runs: 1 }
}
