// The columns of the table: those that every run has, and those that the runs at hand bring along.
import { withError } from '../../../electron/contract/metric-words.ts'
import { bits, divergence, duration, percent, perplexity, size } from '../../../electron/contract/quantities.ts'
import { findMethod, methods } from '../../../electron/contract/methods.ts'
import type { ParameterValue } from '../../../electron/contract/parameters.ts'
import type { DeltaKind } from './deltas.ts'
import type { Row } from './row.ts'
import type { Text } from './text.ts'

export type Value = ParameterValue | null

export type Column = {
  id: string
  title: string
  /** In the menu, where the columns beside it are not seen. */
  menuTitle?: string
  /** The second line of the head. */
  unit: string
  /** The whole truth, for the menu and for those who point at the head. */
  help: string
  group: 'Run' | 'Size' | 'Perplexity' | 'Error' | 'Recipe' | 'Parameter'
  numeric: boolean
  /** Pixels, without room for a delta. */
  width: number
  /** Shown until somebody chooses. */
  standard: boolean
  /** What is sorted and compared. */
  value: (row: Row) => Value
  text: (row: Row) => string
  /** How a delta to the baseline is said; absent: there is none. */
  delta?: {
    kind: DeltaKind
    digits: number
    /** More is better; otherwise less is. */
    more?: boolean
    comparable?: (row: Row, base: Row) => boolean
  }
}

/** Of two numbers of a column. */
export const betterOf = ({ delta }: Column, one: number, other: number): boolean =>
  delta?.more ? one > other : one < other

export const errorText = (error: number): string => error.toFixed(4)

export const nothing = '\u2013'

type Common = Pick<Column, 'id' | 'title' | 'help' | 'width'> & Partial<Column>

const words = (get: (row: Row) => string, column: Common): Column => ({
  unit: '',
  group: 'Run',
  numeric: false,
  standard: true,
  value: get,
  text: (row) => get(row) || nothing,
  ...column,
})

const number = (get: (row: Row) => number | null, text: (value: number) => string, column: Common): Column => ({
  unit: '',
  group: 'Size',
  numeric: true,
  standard: true,
  value: get,
  text: (row) => {
    const value = get(row)
    return value === null ? nothing : text(value)
  },
  ...column,
})

const relative = { kind: 'relative', digits: 1 } as const
const absolute = { kind: 'absolute', digits: 2 } as const

/** 2026-08-01 14:05, in the machine's time zone. */
export function dateText(milliseconds: number): string {
  const date = new Date(milliseconds)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

const before = (rows: readonly Row[]): Column[] => [
  words((row) => row.name, { id: 'name', title: 'Name', help: 'Name of the run', width: 276 }),
  words((row) => row.model, {
    id: 'model',
    title: 'Model',
    help: 'Name of the original model',
    width: 128,
    standard: new Set(rows.map(({ modelKey }) => modelKey)).size > 1,
  }),
  words((row) => row.tags.join(' '), {
    id: 'tags',
    title: 'Tags',
    help: 'Words that you put on the run (T)',
    width: 150,
    standard: rows.some(({ tags }) => tags.length > 0),
  }),
  words((row) => row.note, {
    id: 'note',
    title: 'Note',
    help: 'What you wrote about the run (N)',
    width: 200,
    standard: false,
  }),
  words((row) => row.status, {
    id: 'status',
    title: 'Status',
    help: 'Status of the run',
    width: 90,
    standard: rows.some(({ status }) => status !== 'finished'),
  }),
  number((row) => row.fileBytes, size, {
    id: 'fileBytes',
    title: 'File size',
    help: 'Bytes of all files of the packed model',
    width: 86,
    delta: relative,
  }),
  number((row) => row.linearBits, bits, {
    id: 'linearBits',
    title: 'Linear bits',
    unit: 'per weight',
    help: 'Linear bits: everything stored for the quantized linears, per weight of them',
    width: 80,
    delta: absolute,
  }),
]

const after: Column[] = [
  words((row) => row.method, { id: 'method', title: 'Method', help: 'Method', width: 94 }),
  words((row) => row.chosen, {
    id: 'chosen',
    title: 'Parameters',
    help: "Parameters that are not at their method's defaults",
    group: 'Recipe',
    width: 160,
  }),
  number((row) => row.nominalBits, bits, {
    id: 'nominalBits',
    title: 'Nominal bits',
    unit: 'per weight',
    help: 'Nominal bits: as papers count, without scales and bitmaps',
    width: 92,
    delta: absolute,
  }),
  number((row) => row.fileBits, bits, {
    id: 'fileBits',
    title: 'File bits',
    unit: 'per parameter',
    help: 'File bits: all bytes of the packed files, per parameter of the model',
    width: 104,
    delta: absolute,
  }),
  number((row) => row.linearBytes, size, {
    id: 'linearBytes',
    title: 'Linears',
    help: 'Bytes stored for the quantized linears',
    width: 82,
    standard: false,
    delta: relative,
  }),
  number((row) => row.outputError, errorText, {
    id: 'outputError',
    title: 'Output error',
    unit: 'mean, relative',
    help: "Relative error of the linears' outputs on the calibration text, mean over all linears by their weights",
    group: 'Error',
    width: 96,
    delta: { kind: 'absolute', digits: 4 },
  }),
  number((row) => row.seconds, duration, {
    id: 'seconds',
    title: 'Time',
    help: 'Time of all phases, evaluation included, of the process that finished the run',
    group: 'Run',
    width: 68,
    delta: relative,
  }),
  number((row) => row.peakBytes, size, {
    id: 'peakBytes',
    title: 'Memory',
    help: 'Most memory that the worker held',
    group: 'Run',
    width: 82,
    standard: false,
    delta: relative,
  }),
  words((row) => row.device, {
    id: 'device',
    title: 'Device',
    help: 'What the run computed on: the processor (cpu), or the card by its name',
    width: 130,
    standard: false,
  }),
  words((row) => row.precision, {
    id: 'precision',
    title: 'Precision',
    help: "Arithmetic of a card's products",
    width: 90,
    standard: false,
  }),
  number((row) => row.cardBytes, size, {
    id: 'cardBytes',
    title: 'GPU memory',
    help: 'Most memory of the card that was in use',
    group: 'Run',
    width: 96,
    standard: false,
    delta: relative,
  }),
  words((row) => row.calibration, {
    id: 'calibration',
    title: 'Calibration',
    help: 'Calibration text, sequences and their length in tokens',
    group: 'Recipe',
    width: 210,
    standard: false,
  }),
  words((row) => row.evaluations, {
    id: 'evaluations',
    title: 'Evaluations',
    help: 'Texts that the run was measured on',
    group: 'Recipe',
    width: 210,
    standard: false,
  }),
  number((row) => row.date, dateText, {
    id: 'date',
    title: 'Date',
    help: 'When the run ended; of a run without an end, when it was made',
    group: 'Run',
    width: 142,
  }),
]

/** Perplexities of two runs are comparable where the tokens are the same. */
const sameTokens = (key: string) => (row: Row, base: Row) => row.texts.get(key)?.sha256 === base.texts.get(key)?.sha256

/** The one original perplexity that all these runs have; null where there are several, or none. */
function oneOriginal(rows: readonly Row[], key: string): number | null {
  const values = new Set(rows.flatMap(({ texts }) => texts.get(key)?.original ?? []).map(({ value }) => value))
  return values.size === 1 ? [...values][0]! : null
}

const packed = (text: Text, rows: readonly Row[]): Column => {
  const original = oneOriginal(rows, text.key)
  return {
    ...measured(text, 'packed'),
    title: text.name,
    unit:
      original === null
        ? 'perplexity'
        : `perplexity, original ${perplexity({ value: original, standard_error: null })}`,
    width: original === null ? 128 : 160,
    delta: { ...absolute, comparable: sameTokens(text.key) },
  }
}

const original = (text: Text, rows: readonly Row[]): Column => ({
  ...measured(text, 'original'),
  title: 'Original',
  menuTitle: `Original, ${text.name}`,
  // A column of one value says less than the head of the column beside it.
  standard: oneOriginal(rows, text.key) === null,
})

const measured = (text: Text, subject: 'packed' | 'original'): Column => ({
  id: `${subject} ${text.key}`,
  title: text.name,
  unit: 'perplexity',
  help: `Perplexity of the ${subject} model on ${onText(text)}; lower is better`,
  group: 'Perplexity',
  numeric: true,
  width: 128,
  standard: true,
  value: (row) => row.texts.get(text.key)?.[subject]?.value ?? null,
  text: (row) => {
    const found = row.texts.get(text.key)?.[subject]
    return found ? perplexity(found) : nothing
  },
})

const onText = ({ source, window, protocol }: Text): string =>
  `${source}, protocol ${protocol}, windows of ${window} tokens`

/** Of the packed model beside its original, where any of the runs has it. */
function beside(text: Text, rows: readonly Row[]): Column[] {
  const column = (what: 'kld' | 'sameTop', title: string, help: string, say: (value: number | null) => string) => ({
    id: `${what} ${text.key}`,
    title,
    menuTitle: `${title}, ${text.name}`,
    unit: text.name,
    help: `${help} on ${onText(text)}`,
    group: 'Perplexity' as const,
    numeric: true,
    width: 150,
    standard: false,
    value: (row: Row) => row.texts.get(text.key)?.[what]?.value ?? null,
    text: (row: Row) => {
      const found = row.texts.get(text.key)?.[what]
      return found ? withError(found, say) : nothing
    },
  })
  if (!rows.some(({ texts }) => texts.get(text.key)?.kld)) return []
  const comparable = sameTokens(text.key)
  const kld = 'Mean KL divergence of the next token from the original, in nats; lower is better,'
  const top = 'Share of the tokens at which packed model and original think the same next token most likely,'
  return [
    { ...column('kld', 'KLD', kld, divergence), delta: { kind: 'absolute', digits: 4, comparable } },
    { ...column('sameTop', 'Same top', top, percent), delta: { kind: 'absolute', digits: 4, more: true, comparable } },
  ]
}

/** Keys, and whether all their values are numbers. A recipe has every parameter of its method, so the catalogue knows them
 * without a look into thousands of recipes; only methods that are not known here are looked up. */
function usedParameters(rows: readonly Row[]): Map<string, boolean> {
  const used = new Map<string, boolean>()
  const add = (key: string, numeric: boolean) => used.set(key, numeric && (used.get(key) ?? true))
  const found = new Set<string>()
  for (const row of rows) {
    if (found.has(row.method)) continue
    const method = findMethod(row.method)
    if (!method.ok) for (const [key, value] of Object.entries(row.parameters)) add(key, typeof value === 'number')
    else {
      for (const { key, type } of method.value.parameters) add(key, type === 'integer' || type === 'number')
      found.add(row.method)
    }
  }
  return used
}

/** Every parameter that one of the runs has, in the catalogue's order; then those of methods that are not known here. */
function parameterColumns(rows: readonly Row[]): Column[] {
  const known = new Map(methods.flatMap((method) => method.parameters.map((one) => [one.key, one] as const)))
  const used = usedParameters(rows)
  const keys = [...known.keys(), ...[...used.keys()].filter((key) => !known.has(key))].filter((key) => used.has(key))
  return keys.map((key) => ({
    id: `parameter ${key}`,
    title: key,
    unit: known.get(key)?.unit ?? '',
    help: known.get(key)?.help ?? `Parameter ${key}`,
    group: 'Parameter',
    numeric: used.get(key)!,
    width: 110,
    standard: false,
    value: (row) => row.parameters[key] ?? null,
    text: (row) => String(row.parameters[key] ?? nothing),
  }))
}

export function columnsOf(rows: readonly Row[], texts: readonly Text[]): Column[] {
  return [
    ...before(rows),
    ...texts.flatMap((text) => [packed(text, rows), original(text, rows), ...beside(text, rows)]),
    ...after,
    ...parameterColumns(rows),
  ]
}

/** What a person changed of what is shown at first. */
export type Choice = { shown: readonly string[]; hidden: readonly string[] }

/** The name is always there: without it no row can be told from another. */
export const isShown = ({ id, standard }: Column, { shown, hidden }: Choice): boolean =>
  id === 'name' || (standard ? !hidden.includes(id) : shown.includes(id))

export function choose(choice: Choice, column: Column, show: boolean): Choice {
  const without = (ids: readonly string[]) => ids.filter((id) => id !== column.id)
  const [shown, hidden] = [without(choice.shown), without(choice.hidden)]
  if (show === column.standard) return { shown, hidden }
  return show ? { shown: [...shown, column.id], hidden } : { shown, hidden: [...hidden, column.id] }
}
