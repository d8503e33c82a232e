// An override while a person writes it: a line of the form, and the override that it comes to. Pure.
import { failure, success, type Result } from '../../../electron/contract/errors.ts'
import { findMethod, methodIds, readSetting, unusual, type MethodId } from '../../../electron/contract/methods.ts'
import {
  checkOverrides,
  matchesOf,
  type LinearRecipe,
  type Override,
  type OverrideMatches,
} from '../../../electron/contract/overrides.ts'

export type OverrideRow = {
  match: string
  /** `same`: the run's own method, with other parameters. */
  does: MethodId | 'same' | 'keep'
  /** As typed: key=value, by commas or spaces. */
  settings: string
}

export const emptyRow: OverrideRow = { match: '', does: 'keep', settings: '' }

export const doings: readonly { value: OverrideRow['does']; label: string }[] = [
  { value: 'keep', label: 'keep as stored' },
  { value: 'same', label: 'same method' },
  ...methodIds.map((id) => ({ value: id, label: id })),
]

/** The override that a line means, or what is wrong with it. */
export function readRow({ match, does, settings }: OverrideRow, usual: LinearRecipe): Result<Override> {
  if (match === '') return failure('recipe_invalid', 'A pattern is missing, such as down_proj or layers\\.0\\.')
  const override = does === 'keep' ? success<Override>({ match, keep: true }) : readMethod(match, does, settings, usual)
  if (!override.ok) return override
  const checked = checkOverrides({ ...usual, overrides: [override.value] })
  return checked.ok ? override : checked
}

function readMethod(match: string, does: MethodId | 'same', settings: string, usual: LinearRecipe): Result<Override> {
  const method = findMethod(does === 'same' ? usual.method : does)
  if (!method.ok) return method
  const parameters: Override['parameters'] = {}
  for (const text of settings.split(/[,\s]+/).filter(Boolean)) {
    const setting = readSetting(method.value, text)
    if (!setting.ok) {
      const { problem } = setting
      return failure('recipe_invalid', problem.message.replace('--set must be followed by', 'Parameters are'))
    }
    parameters[setting.value.key] = setting.value.value
  }
  if (does === 'same' && Object.keys(parameters).length === 0) {
    return failure('recipe_invalid', 'The same method needs other parameters, such as bits=4.')
  }
  return success({ match, ...(does === 'same' ? {} : { method: does }), parameters })
}

/** The line that means the override. */
export function rowOf({ match, keep, method: id, parameters = {} }: Override): OverrideRow {
  if (keep) return { match, does: 'keep', settings: '' }
  const method = id === undefined ? null : findMethod(id)
  const said = Object.entries(method?.ok ? unusual(method.value, parameters) : parameters)
  return { match, does: id ?? 'same', settings: said.map(([key, value]) => `${key}=${value}`).join(' ') }
}

/** Those that mean something, in their order. */
export const overridesOf = (rows: readonly OverrideRow[], usual: LinearRecipe): Override[] =>
  rows.flatMap((row) => {
    const read = readRow(row, usual)
    return read.ok ? [read.value] : []
  })

export type RowState = { problem: string | null; matches: OverrideMatches | null }

/** What is to be said of every line. */
export function rowStates(rows: readonly OverrideRow[], usual: LinearRecipe, names: readonly string[]): RowState[] {
  const matches = matchesOf(rows, names)
  return rows.map((row, i) => {
    const read = readRow(row, usual)
    return { problem: read.ok ? null : read.problem.message, matches: row.match === '' ? null : matches[i]! }
  })
}

/** `12 linears`, or why fewer than its pattern matches. */
export function matchesText({ matches }: RowState): string {
  if (matches === null) return ''
  if (matches.matches === 0) return 'matches no linear'
  const linears = (n: number) => `${n} ${n === 1 ? 'linear' : 'linears'}`
  if (matches.takes === matches.matches) return linears(matches.takes)
  return `${linears(matches.takes)}; ${matches.matches - matches.takes} more are taken above`
}
