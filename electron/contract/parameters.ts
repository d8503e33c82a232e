// One parameter of a method: what it may be, how it is written, and what a form or a help page says about it.
import { failure, success, type Result } from './errors.ts'

export type ParameterValue = number | string | boolean

type Common = {
  /** In files, jobs and on the command line. */
  key: string
  /** The papers' letter, or '' where there is none. */
  symbol: string
  unit: string
  /** One line. */
  help: string
}
export type Parameter = Common &
  (
    | { type: 'integer'; min: number; max: number; default: number; special?: { value: number; meaning: string } }
    | { type: 'number'; min: number; max: number; default: number }
    | { type: 'choice'; choices: readonly string[]; default: string }
    | { type: 'boolean'; default: boolean }
  )

/** What a parameter may be, to be read after "must be". */
export function rangeOf(parameter: Parameter): string {
  switch (parameter.type) {
    case 'integer': {
      const range = `a whole number from ${parameter.min} to ${parameter.max}`
      return parameter.special ? `${range}, or ${parameter.special.value} (${parameter.special.meaning})` : range
    }
    case 'number':
      return `a number from ${parameter.min} to ${parameter.max}`
    case 'choice':
      return `one of ${parameter.choices.join(', ')}`
    case 'boolean':
      return 'true or false'
  }
}

/** A value from a recipe file or a form. */
export function checkValue(parameter: Parameter, value: unknown): Result<ParameterValue> {
  const given = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value))
  if (allows(parameter, value)) return success(value)
  return failure(
    'recipe_invalid',
    `${parameter.key} must be ${rangeOf(parameter)} (default ${parameter.default}), not ${given}.`,
  )
}

/** A value as typed after `--set key=`. */
export function readValue(parameter: Parameter, text: string): Result<ParameterValue> {
  return checkValue(parameter, typed(parameter, text))
}

function typed(parameter: Parameter, text: string): unknown {
  if (parameter.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (parameter.type === 'choice') return text
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text
}

function allows(parameter: Parameter, value: unknown): value is ParameterValue {
  switch (parameter.type) {
    case 'integer':
      if (!Number.isInteger(value)) return false
      return value === parameter.special?.value || within(parameter, value as number)
    case 'number':
      return typeof value === 'number' && within(parameter, value)
    case 'choice':
      return typeof value === 'string' && parameter.choices.includes(value)
    case 'boolean':
      return typeof value === 'boolean'
  }
}

const within = (range: { min: number; max: number }, value: number) => value >= range.min && value <= range.max
