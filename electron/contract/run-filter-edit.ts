// Changing a filter line: what could be typed where the caret is, and facets that switch values on and off. Pure.
import { cut, keyHelp, numberKeys, parseFilter, quoted, wordKeys, type Term, type WordKey } from './run-filter.ts'

/** `from`, `to`: what of the line it takes the place of. */
export type Completion = { text: string; help: string; from: number; to: number }

const keyEnd = (key: string) => ((numberKeys as readonly string[]).includes(key) ? '<' : key === 'p.' ? '' : ':')

/** `values`: known ones of a word key, with how many runs have each; `parameters`: known keys. */
export function completions(
  line: string,
  caret: number,
  values: (key: WordKey) => readonly { value: string; count: number }[],
  parameters: readonly string[],
  most = 8,
): Completion[] {
  const part = cut(line).find(({ from, to }) => caret > from && caret <= to) ?? { text: '', from: caret, to: caret }
  const begin = part.from + (/^[-!]./.test(part.text) ? 1 : 0)
  const typed = line.slice(begin, caret)
  const found = /^([A-Za-z][\w-]*):(.*)$/s.exec(typed)
  const key = found?.[1]?.toLowerCase()
  if (key !== undefined && found) {
    const before = found[2]!.slice(0, found[2]!.lastIndexOf(',') + 1)
    const wanted = found[2]!.slice(before.length).replaceAll('"', '').toLowerCase()
    const from = begin + typed.length - (found[2]!.length - before.length)
    const known = key === 'archived' ? ['yes', 'no', 'any'].map((value) => ({ value, count: -1 })) : []
    const all = (wordKeys as readonly string[]).includes(key) ? values(key as WordKey) : known
    return all
      .filter(({ value }) => value.toLowerCase().includes(wanted) && value.toLowerCase() !== wanted)
      .slice(0, most)
      .map(({ value, count }) => {
        const help = count < 0 ? '' : `${count} ${count === 1 ? 'run' : 'runs'}`
        return { text: quoted(value), help, from, to: part.to }
      })
  }
  const wanted = typed.toLowerCase()
  if (wanted.startsWith('p.')) {
    return parameters
      .filter((one) => one.startsWith(wanted.slice(2)))
      .slice(0, most)
      .map((one) => ({ text: `p.${one}=`, help: 'parameter of the recipe', from: begin, to: part.to }))
  }
  return Object.entries(keyHelp)
    .filter(([one]) => one.startsWith(wanted) && (wanted !== '' || part.text === ''))
    .slice(0, wanted === '' ? 30 : most)
    .map(([one, help]) => ({ text: one + keyEnd(one), help, from: begin, to: part.to }))
}

export function accept(line: string, { text, from, to }: Completion): { line: string; caret: number } {
  const rest = line.slice(to)
  // A finished value is left behind; a key waits for its value.
  const gap = /[:<=]$|^p\.$/.test(text) || rest.startsWith(' ') ? '' : ' '
  return { line: line.slice(0, from) + text + gap + rest, caret: from + text.length + gap.length }
}

type FacetTerm = Extract<Term, { kind: 'words' }>
const facetTerms = (line: string, key: WordKey) =>
  parseFilter(line).terms.filter((term): term is FacetTerm => term.kind === 'words' && term.key === key && !term.not)

/** Values that a line asks for, in lower case. */
export const wantedValues = (line: string, key: WordKey): string[] =>
  facetTerms(line, key).flatMap((term) => term.values)

/** The line with a value of a key switched on or off: one term a key, values by commas. */
export function toggleValue(line: string, key: WordKey, value: string): string {
  const wanted = wantedValues(line, key)
  const lower = value.toLowerCase()
  const next = wanted.includes(lower) ? wanted.filter((one) => one !== lower) : [...wanted, lower]
  return withTerm(without(line, facetTerms(line, key)), next.length === 0 ? '' : `${key}:${next.map(quoted).join(',')}`)
}

export const clearKey = (line: string, key: WordKey): string => without(line, facetTerms(line, key))

/** The line with archived:any, or without any word of archived runs. */
export function showArchived(line: string, yes: boolean): string {
  const plain = without(
    line,
    parseFilter(line).terms.filter(({ kind }) => kind === 'archived'),
  )
  return yes ? withTerm(plain, 'archived:any') : plain
}

const withTerm = (line: string, term: string): string => [line.trim(), term].filter(Boolean).join(' ')

function without(line: string, terms: readonly Term[]): string {
  const kept = terms.toReversed().reduce((text, { from, to }) => text.slice(0, from) + text.slice(to), line)
  return kept.replace(/\s+/g, ' ').trim()
}
