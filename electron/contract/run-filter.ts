// A line that says which runs are wanted: method:arb-rc ppl<32 file<2MB tag:paper -model:opt "first try". Pure.
//   word, "some words"   stands in name, model, method, tags or note
//   key:value,other      one of the values; * stands for anything
//   key<3, <=, >, >=, =, !=   numbers; sizes take kB, MB, GB, times s, min, h
//   p.KEY:value, p.KEY<3  a parameter of the recipe
//   before:2026-10, after:2026-09-01, archived:yes|no|any
//   -term                not that
import { didYouMean } from './nearest.ts'
import type { ParameterValue } from './parameters.ts'

export const wordKeys = ['method', 'model', 'status', 'tag', 'name', 'note', 'text', 'device'] as const
export type WordKey = (typeof wordKeys)[number]
export const numberKeys = [
  'ppl',
  'original',
  'kld',
  'top',
  'bits',
  'nominal',
  'filebits',
  'file',
  'linears',
  'error',
  'time',
  'memory',
  'id',
] as const
export type NumberKey = (typeof numberKeys)[number]

/** One line each, for the list of what can be typed. */
export const keyHelp: Readonly<Record<WordKey | NumberKey | 'before' | 'after' | 'archived' | 'p.', string>> = {
  method: 'the method, as its catalogue names it',
  model: 'part of the name of the original model',
  status: 'finished, failed, stopped, cancelled, interrupted, running, queued',
  tag: 'a tag',
  name: 'part of the name of the run',
  note: 'part of the note',
  text: 'part of the name of the calibration text',
  device: 'cpu, or part of the name of the card',
  ppl: 'perplexity of the packed model',
  original: 'perplexity of the original',
  kld: 'mean KL divergence from the original, nats',
  top: 'share of tokens with the same top token, 0 to 1',
  bits: 'linear bits per weight',
  nominal: 'nominal bits per weight',
  filebits: 'file bits per parameter',
  file: 'size of the packed files: 2MB, 800kB',
  linears: 'bytes of the quantized linears: 2MB',
  error: 'mean relative output error of the linears',
  time: 'time of all phases: 90s, 5min, 2h',
  memory: 'most memory that the worker held: 4GB',
  id: 'number of the run',
  before: 'ended before a day: 2026-10-01, 2026-10, 2026',
  after: 'ended on a day or later',
  archived: 'yes: only archived runs; any: these too',
  'p.': 'a parameter of the recipe: p.group=64',
}

/** How a run answers; `R` is whatever the caller lists. */
export type Fields<R> = {
  words: Readonly<Record<WordKey, (run: R) => string | readonly string[]>>
  numbers: Readonly<Record<NumberKey, (run: R) => number | null>>
  parameter: (run: R, key: string) => ParameterValue | null
  /** Milliseconds since 1970. */
  date: (run: R) => number
  archived: (run: R) => boolean
}

export type Comparison = '<' | '<=' | '>' | '>=' | '=' | '!='

type What =
  | { kind: 'text'; text: string }
  | { kind: 'words'; key: WordKey; values: string[] }
  /** Numbers are typed as they are shown, rounded: `within` is half of the last digit that was typed. */
  | { kind: 'number'; key: NumberKey; how: Comparison; value: number; within: number }
  | { kind: 'parameter'; key: string; how: Comparison; values: string[] }
  | { kind: 'date'; begin: number; end: number }
  | { kind: 'archived'; which: 'yes' | 'no' | 'any' }
/** `from`, `to`: its place in the line. */
export type Term = What & { not: boolean; from: number; to: number }
export type FilterProblem = { from: number; to: number; message: string }
export type Filter = { terms: Term[]; problem: FilterProblem | null }

const keys = [...wordKeys, ...numberKeys, 'before', 'after', 'archived'] as const
const isWord = (key: string): key is WordKey => (wordKeys as readonly string[]).includes(key)
const isNumber = (key: string): key is NumberKey => (numberKeys as readonly string[]).includes(key)

/** A line cut into its terms; quotes hold words together. */
export function cut(line: string): { text: string; from: number; to: number }[] {
  const parts: { text: string; from: number; to: number }[] = []
  let from = -1
  let quoted = false
  for (let at = 0; at <= line.length; at++) {
    const char = line[at]
    if (char === '"') quoted = !quoted
    const ends = char === undefined || (!quoted && /\s/.test(char))
    if (!ends && from < 0) from = at
    if (ends && from >= 0) {
      parts.push({ text: line.slice(from, at), from, to: at })
      from = -1
    }
  }
  return parts
}

/** The terms that make sense, and the first that does not. A line never fails as a whole: it is read while it is typed. */
export function parseFilter(line: string): Filter {
  const terms: Term[] = []
  let problem: FilterProblem | null = null
  for (const { text, from, to } of cut(line)) {
    const read = parseTerm(text)
    if ('message' in read) problem ??= { from: from + read.at, to, message: read.message }
    else if (read.what) terms.push({ ...read.what, not: read.not, from, to })
  }
  return { terms, problem }
}

type Read = { what: What | null; not: boolean } | { at: number; message: string }

function parseTerm(text: string): Read {
  const not = text.length > 1 && /^[-!]/.test(text)
  const body = not ? text.slice(1) : text
  const found = /^([A-Za-z][\w.-]*)(<=|>=|!=|:|<|>|=)/.exec(body)
  const at = not ? 1 : 0
  if ((body.match(/"/g) ?? []).length % 2 === 1) return { at, message: 'A quotation mark is missing' }
  if (!found) {
    const plain = unquote(body)
    return { what: plain === '' ? null : { kind: 'text', text: plain.toLowerCase() }, not }
  }
  const [all, written, sign] = found as unknown as [string, string, Comparison | ':']
  const key = written.toLowerCase()
  const rest = body.slice(all.length)
  const where = at + all.length
  if (rest === '') return { at, message: `${written}${sign} wants a value behind it` }
  const what = key.startsWith('p.') ? parameter(written.slice(2), sign, rest) : ofKey(key, written, sign, rest)
  if (typeof what === 'string') return { at: what.startsWith('There is') ? at : where, message: what }
  // A word that is not this one: the same as the minus before it.
  return { what, not: what.kind === 'words' && sign === '!=' ? !not : not }
}

function ofKey(key: string, written: string, sign: Comparison | ':', rest: string): What | string {
  if (isWord(key)) return ofWords(key, sign, rest)
  if (isNumber(key)) return ofNumber(key, sign, rest)
  if (key === 'before' || key === 'after') return ofDate(key, rest)
  if (key === 'archived') {
    const which = unquote(rest).toLowerCase()
    if (which === 'yes' || which === 'no' || which === 'any') return { kind: 'archived', which }
    return `archived is yes, no or any, not ${rest}`
  }
  return `There is no ${written} to filter by${didYouMean(key, keys)}`
}

function ofWords(key: WordKey, sign: Comparison | ':', rest: string): What | string {
  if (sign !== ':' && sign !== '=' && sign !== '!=') return `${key} is a word: ${key}:${unquote(rest)}`
  const values = list(rest)
  if (values.length === 0) return `${key}: wants a value behind it`
  return { kind: 'words', key, values }
}

function ofNumber(key: NumberKey, sign: Comparison | ':', rest: string): What | string {
  const read = numberIn(unquote(rest), key)
  if (read === null) return `${key} is a number${unitHelp(key)}, not ${rest}`
  return { kind: 'number', key, how: sign === ':' ? '=' : sign, ...read }
}

function parameter(key: string, sign: Comparison | ':', rest: string): What | string {
  if (key === '') return 'p. wants the name of a parameter: p.group=64'
  const values = list(rest)
  const ordered = sign === '<' || sign === '<=' || sign === '>' || sign === '>='
  if (ordered && values.some((value) => !Number.isFinite(Number(value)))) return `p.${key}${sign} wants a number`
  return { kind: 'parameter', key, how: sign === ':' ? '=' : sign, values }
}

/** Midnight here; a month or a year begins with its first day. */
function ofDate(key: 'before' | 'after', rest: string): What | string {
  const found = /^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$/.exec(unquote(rest))
  const [year, month, day] = [Number(found?.[1]), Number(found?.[2] ?? 1), Number(found?.[3] ?? 1)]
  const date = new Date(year, month - 1, day)
  if (!found || date.getMonth() !== month - 1 || date.getDate() !== day) {
    return `${key} is a day like 2026-10-01, a month or a year, not ${rest}`
  }
  const at = date.getTime()
  return key === 'before' ? { kind: 'date', begin: -Infinity, end: at } : { kind: 'date', begin: at, end: Infinity }
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
}
const times: Readonly<Record<string, number>> = { '': 1, s: 1, min: 60, m: 60, h: 3600 }
const isSize = (key: NumberKey) => key === 'file' || key === 'linears' || key === 'memory'
const unitHelp = (key: NumberKey) => (isSize(key) ? ' with kB, MB or GB' : key === 'time' ? ' with s, min or h' : '')

function numberIn(text: string, key: NumberKey): { value: number; within: number } | null {
  const found = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([a-z]*)$/i.exec(text)
  if (!found) return null
  const factor = (isSize(key) ? units : key === 'time' ? times : { '': 1 })[found[2]!.toLowerCase()]
  if (factor === undefined) return null
  const [mantissa = '', exponent = '0'] = found[1]!.toLowerCase().split('e')
  const digits = mantissa.split('.')[1]?.length ?? 0
  return { value: Number(found[1]) * factor, within: 0.5 * 10 ** (Number(exponent) - digits) * factor }
}

const unquote = (text: string) => text.replaceAll('"', '')

/** Values between commas outside of quotes. */
function list(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|[^,"])+/g)].map(([value]) => unquote(value).toLowerCase()).filter(Boolean)
}

/** Whole words of a catalogue; everything else is found by its parts. */
const whole: ReadonlySet<WordKey> = new Set(['method', 'status', 'tag'])

function wordTest(key: WordKey, value: string): (text: string) => boolean {
  if (value.includes('*')) {
    const parts = value.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    const pattern = new RegExp(whole.has(key) ? `^${parts.join('.*')}$` : parts.join('.*'), 's')
    return (text) => pattern.test(text)
  }
  return whole.has(key) ? (text) => text === value : (text) => text.includes(value)
}

const compare: Readonly<Record<Comparison, (a: number, b: number, within: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '=': (a, b, within) => Math.abs(a - b) <= within,
  '!=': (a, b, within) => Math.abs(a - b) > within,
}

/** One term as a question to a run. A number that a run does not have is neither above nor below. */
export function termTest<R>(term: Term, fields: Fields<R>): (run: R) => boolean {
  const test = plainTest(term, fields)
  return term.not ? (run) => !test(run) : test
}

function plainTest<R>(term: Term, fields: Fields<R>): (run: R) => boolean {
  switch (term.kind) {
    case 'text': {
      const all = (['name', 'model', 'method', 'tag', 'note'] as const).map((key) => fields.words[key])
      return (run) => all.some((get) => has(get(run), (text) => text.includes(term.text)))
    }
    case 'words': {
      const get = fields.words[term.key]
      const tests = term.values.map((value) => wordTest(term.key, value))
      return (run) => tests.some((test) => has(get(run), test))
    }
    case 'number': {
      const [get, fits] = [fields.numbers[term.key], compare[term.how]]
      return (run) => {
        const value = get(run)
        return value !== null && fits(value, term.value, term.within)
      }
    }
    case 'parameter':
      return (run) => parameterFits(fields.parameter(run, term.key), term.how, term.values)
    case 'date':
      return (run) => {
        const at = fields.date(run)
        return at >= term.begin && at < term.end
      }
    case 'archived':
      return (run) => term.which === 'any' || fields.archived(run) === (term.which === 'yes')
  }
}

const has = (value: string | readonly string[], test: (text: string) => boolean): boolean =>
  typeof value === 'string' ? test(value.toLowerCase()) : value.some((one) => test(one.toLowerCase()))

function parameterFits(value: ParameterValue | null, how: Comparison, values: string[]): boolean {
  if (value === null) return how === '!='
  const equal = (wanted: string) =>
    typeof value === 'number' ? value === Number(wanted) : String(value).toLowerCase() === wanted
  if (how === '=') return values.some(equal)
  if (how === '!=') return !values.some(equal)
  return typeof value === 'number' && values.every((wanted) => compare[how](value, Number(wanted), 0))
}

/** All terms hold; archived runs are wanted only where the line speaks of them. */
export function matcher<R>(terms: readonly Term[], fields: Fields<R>): (run: R) => boolean {
  const tests = terms.map((term) => termTest(term, fields))
  if (!speaksOfArchived(terms)) tests.push((run) => !fields.archived(run))
  return (run) => tests.every((test) => test(run))
}

export const speaksOfArchived = (terms: readonly Term[]): boolean => terms.some(({ kind }) => kind === 'archived')

/** A word as it must be typed to be found again. */
export const quoted = (word: string): string => (/[\s,"]/.test(word) ? `"${word.replaceAll('"', '')}"` : word)
