// Values of one thing in a sweep, as typed: `2, 3, 4`, `2..4`, `0..1 by 0.25`, `natural, hessian`, `all`. Pure.
import { failure, success, type Result } from '../../../electron/contract/errors.ts'
import { rangeOf, readValue, type Parameter, type ParameterValue } from '../../../electron/contract/parameters.ts'

/** Of one line of values. */
export const mostValues = 200

const number = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`
const range = new RegExp(String.raw`^(${number})\s*\.\.\s*(${number})(?:\s*(?:by|step|:)\s*(${number}))?$`, 'i')

/** Each value once, in the order in which they were typed. */
export function readValues(parameter: Parameter, text: string): Result<ParameterValue[]> {
  const words = expand(text)
  if (!words.ok) return words
  const all = words.value.length === 1 && words.value[0]!.toLowerCase() === 'all' ? allOf(parameter) : null
  const values = new Set<ParameterValue>(all ?? [])
  for (const word of all === null ? words.value : []) {
    const value = readValue(parameter, word)
    if (!value.ok) return failure('recipe_invalid', `${word}: must be ${rangeOf(parameter)}.`)
    values.add(value.value)
  }
  return values.size > 0 ? success([...values]) : failure('recipe_invalid', `Values, such as ${exampleOf(parameter)}.`)
}

/** Positive numbers: bits or bytes. */
export function readNumbers(text: string): Result<number[]> {
  const words = expand(text)
  if (!words.ok) return words
  const numbers = words.value.map(Number)
  const wrong = numbers.findIndex((one) => !(one > 0))
  if (wrong >= 0) return failure('recipe_invalid', `${words.value[wrong]} is no positive number.`)
  return success([...new Set(numbers)])
}

function expand(text: string): Result<string[]> {
  const words: string[] = []
  for (const part of text.split(/[,;\n]+/)) {
    const one = part.trim()
    const found = range.exec(one)
    if (found === null) words.push(...one.split(/\s+/).filter(Boolean))
    else {
      const [from, to] = [Number(found[1]), Number(found[2])]
      const step = found[3] === undefined ? 1 : Math.abs(Number(found[3]))
      const steps = Math.floor(Math.abs(to - from) / step + 1e-9)
      if (!(step > 0) || steps >= mostValues) {
        return failure('recipe_invalid', `${one} has too many values: at most ${mostValues}.`)
      }
      const sign = to < from ? -1 : 1
      // 0.1 + 0.2 is meant as 0.3.
      for (let i = 0; i <= steps; i++) words.push(String(Number((from + sign * i * step).toPrecision(12))))
    }
  }
  if (words.length > mostValues) return failure('recipe_invalid', `At most ${mostValues} values.`)
  return success(words)
}

function allOf(parameter: Parameter): ParameterValue[] | null {
  if (parameter.type === 'choice') return [...parameter.choices]
  return parameter.type === 'boolean' ? [false, true] : null
}

export function exampleOf(parameter: Parameter): string {
  if (parameter.type === 'choice') return parameter.choices.join(', ')
  if (parameter.type === 'boolean') return 'false, true'
  const { min, max, type } = parameter
  if (type === 'number') return max - min <= 1 && min === 0 ? '0..1 by 0.25' : `${min}, ${parameter.default}`
  return max - min <= 10 ? `${min}..${max}` : `${Math.max(min, 1)}, ${parameter.default}`
}
