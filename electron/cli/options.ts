// What a command accepts, as data: the parser, the help pages and docs/CLI.md are made from it.
import { parseArgs } from 'node:util'
import { failure, success, type Result } from '../contract/errors.ts'
import { didYouMean } from '../contract/nearest.ts'

export type Option = {
  name: string
  /** What stands for the value in help, such as DIR; none for a flag. */
  value?: string
  kind: 'flag' | 'text' | 'list' | 'integer' | 'number'
  min?: number
  max?: number
  help: string
}

export type CommandSpec = {
  name: string
  summary: string
  /** The arguments that are not options; `optional` ones may be left out. */
  positionals: readonly { name: string; help: string; optional?: boolean }[]
  options: readonly Option[]
  /** More lines for the command's help page. */
  notes?: readonly string[]
}

export type Values = {
  positionals: string[]
  flag: (name: string) => boolean
  text: (name: string) => string | undefined
  list: (name: string) => string[]
  /** Of several lists, in the order in which they were typed. */
  inOrder: (...names: string[]) => { name: string; value: string }[]
  integer: (name: string) => number | undefined
  number: (name: string) => number | undefined
  /** Whether the person gave it. */
  given: (name: string) => boolean
}

/** Options of every command. */
export const commonOptions: readonly Option[] = [
  { name: 'json', kind: 'flag', help: 'One JSON document on standard output; progress stays on standard error.' },
  {
    name: 'data',
    value: 'DIR',
    kind: 'text',
    help: 'The folder of the history (default SIGNUM_DATA, else the usual one).',
  },
  { name: 'help', kind: 'flag', help: 'This page.' },
]

export function parseOptions(spec: CommandSpec, argv: readonly string[]): Result<Values> {
  const options = [...spec.options, ...commonOptions]
  const types = Object.fromEntries(options.map(({ name, kind }) => [name, { type: parserType(kind) }]))
  const short = { help: { type: 'boolean' as const, short: 'h' } }
  const { tokens } = parseArgs({ args: [...argv], options: { ...types, ...short }, strict: false, tokens: true })
  const positionals: string[] = []
  const values = new Map<string, string[]>()
  const typed: { name: string; value: string }[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = options.find(({ name }) => name === token.name)
    if (!option) return unknownOption(spec, options, token.rawName)
    // parseArgs takes whatever follows; a following option was not meant as a value.
    const swallowed = token.inlineValue === false && token.value.startsWith('--')
    const checked = checkOption(option, swallowed ? undefined : token.value)
    if (!checked.ok) return checked
    if (values.has(option.name) && option.kind !== 'list') {
      return failure('option_invalid', `--${option.name} is given twice.`)
    }
    values.set(option.name, [...(values.get(option.name) ?? []), checked.value])
    typed.push({ name: option.name, value: checked.value })
  }
  const { positionals: named } = spec
  const wanting = values.has('help') ? undefined : named.filter(({ optional }) => !optional)[positionals.length]
  if (wanting) return failure('option_invalid', `signum ${spec.name} needs ${wanting.name}: ${wanting.help}`)
  if (positionals.length > named.length) {
    return failure(
      'option_invalid',
      `signum ${spec.name} does not know what to do with '${positionals[named.length]}'.`,
    )
  }
  const numberOf = (name: string) => (values.has(name) ? Number(values.get(name)![0]) : undefined)
  return success({
    positionals,
    flag: (name) => values.has(name),
    text: (name) => values.get(name)?.[0],
    list: (name) => values.get(name) ?? [],
    inOrder: (...names) => typed.filter(({ name }) => names.includes(name)),
    integer: numberOf,
    number: numberOf,
    given: (name) => values.has(name),
  })
}

const parserType = (kind: Option['kind']): 'boolean' | 'string' => (kind === 'flag' ? 'boolean' : 'string')

function unknownOption(spec: CommandSpec, options: readonly Option[], given: string): Result<never> {
  const names = options.map(({ name }) => name)
  const plain = given.replace(/^-+/, '')
  const meant = didYouMean(plain, names, (name) => `--${name}`)
  return failure(
    'option_unknown',
    `signum ${spec.name} has no option ${given}${meant || `; see signum ${spec.name} --help.`}`,
  )
}

function checkOption(option: Option, value: string | undefined): Result<string> {
  const { name, kind, min = 0, max = Number.MAX_SAFE_INTEGER } = option
  if (kind === 'flag') {
    return value === undefined
      ? success('')
      : failure('option_invalid', `--${name} takes no value, and '${value}' was given.`)
  }
  if (value === undefined || value === '')
    return failure('option_invalid', `--${name} needs a value: --${name} ${option.value}.`)
  if (kind === 'text' || kind === 'list') return success(value)
  const what = kind === 'integer' ? 'a whole number' : 'a number'
  const range = max === Number.MAX_SAFE_INTEGER ? `${what} of at least ${min}` : `${what} from ${min} to ${max}`
  const form = kind === 'integer' ? /^\d+$/ : /^(\d+\.?\d*|\.\d+)$/
  const fits = form.test(value) && Number(value) >= min && Number(value) <= max
  return fits ? success(value) : failure('option_invalid', `--${name} must be ${range}, not '${value}'.`)
}
