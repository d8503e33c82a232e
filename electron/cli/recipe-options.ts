// From the options of a command to a recipe, with a recipe file as the base where one is given.
import { access } from 'node:fs/promises'
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'
import { protocols } from '../contract/evaluation.ts'
import { findMethod, findPreset, methodIds, unusual, type Parameters } from '../contract/methods.ts'
import { overrideForm, readOverride, readSettings } from '../contract/override-text.ts'
import { mixed } from '../contract/plan.ts'
import { bundledPrefix, joins, parseRecipe, samplings, type Recipe } from '../contract/recipe.ts'
import { tableTypes, type TableTypes } from '../contract/tables.ts'
import { readRecipe } from '../workbench.ts'
import type { Option, Values } from './options.ts'

export const methodOptions: readonly Option[] = [
  {
    name: 'method',
    value: 'M',
    kind: 'text',
    help: `How: ${methodIds.join(', ')} (signum help M says more), or ${mixed}: for each linear what --budget is best spent on.`,
  },
  {
    name: 'preset',
    value: 'NAME',
    kind: 'text',
    help: 'Parameters that go together, such as paper or fast (signum help M says which); --set changes them.',
  },
  { name: 'set', value: 'KEY=VALUE', kind: 'list', help: 'A parameter of the method; may be given again.' },
  { name: 'recipe', value: 'FILE.json', kind: 'text', help: 'A saved recipe; other options change it.' },
]

export const protocolOption: Option = {
  name: 'protocol',
  value: 'P',
  kind: 'text',
  help: `How perplexity is measured: ${protocols.join(' or ')} (default papers).`,
}

export const overrideOptions: readonly Option[] = [
  {
    name: 'override',
    value: `'${overrideForm}'`,
    kind: 'list',
    help: 'Another method for the linears whose names match; without METHOD (REGEX=:key=value) only other parameters. The first match decides; may be given again.',
  },
  {
    name: 'keep',
    value: 'REGEX',
    kind: 'list',
    help: 'Linears whose names match stay as they are stored; may be given again.',
  },
  {
    name: 'embedding-type',
    value: 'T',
    kind: 'text',
    help: `How the embedding table is stored, and a tied head with it: ${tableTypes.join(', ')} (default source: as it is).`,
  },
  { name: 'head-type', value: 'T', kind: 'text', help: 'How a head of its own is stored: the same types.' },
]

export const joinOption = (name: string, what: string): Option => ({
  name,
  value: 'RULE',
  kind: 'text',
  help: `What stands between the lines, or documents, of ${what}: ${joins.join(', ')} (default raw, as they are).`,
})

export const textOptions: readonly Option[] = [
  {
    name: 'calibration',
    value: 'FILE',
    kind: 'text',
    help: 'Text, documents (.jsonl, .json.gz) or token ids (.u32) that the weights are fitted on.',
  },
  {
    name: 'sampling',
    value: 'HOW',
    kind: 'text',
    help: `What is taken of the text: ${samplings.join(', ')} (default sequential).`,
  },
  { name: 'sequences', value: 'N', kind: 'integer', min: 1, help: 'Calibration sequences (default 128).' },
  {
    name: 'length',
    value: 'L',
    kind: 'integer',
    min: 2,
    help: "Tokens per sequence (default the model's context, at most 2048).",
  },
  {
    name: 'seed',
    value: 'S',
    kind: 'integer',
    max: 0xffff_ffff,
    help: 'For --sampling random and documents (default 0).',
  },
  {
    name: 'evaluation',
    value: 'FILE',
    kind: 'list',
    help: 'Text, documents or token ids (.u32) to measure on (default bundled:evaluation-stories); may be given again.',
  },
  {
    name: 'window',
    value: 'N',
    kind: 'integer',
    min: 2,
    help: "Tokens per window (default the model's context, at most 2048, with llama.cpp 512).",
  },
  protocolOption,
  joinOption('calibration-join', 'the calibration text'),
  joinOption('evaluation-join', 'the texts to measure on'),
  { name: 'no-evaluation', kind: 'flag', help: 'Do not measure.' },
]

const standardEvaluation = `${bundledPrefix}evaluation-stories`

/** Null when no option says what to do: a resumed run knows by itself. */
export async function recipeFrom(values: Values, model: string | undefined): Promise<Result<Recipe | null>> {
  const asked = [...methodOptions, ...overrideOptions, ...textOptions].some(({ name }) => values.given(name))
  if (!asked && values.flag('resume')) return success(null)
  const base = await baseRecipe(values)
  if (!base.ok) return base
  const parameters = settings(values, base.value)
  if (!parameters.ok) return parameters
  const overrides = overridesFrom(values, base.value)
  if (!overrides.ok) return overrides
  const tables = tablesFrom(values)
  if (!tables.ok) return tables
  const calibration = calibrationFrom(values, base.value)
  if (!calibration.ok) return calibration
  const evaluations = await evaluationsFrom(values, base.value, model ?? base.value.model)
  if (!evaluations.ok) return evaluations
  const recipe = {
    ...base.value,
    parameters: parameters.value,
    overrides: overrides.value,
    ...tables.value,
    calibration: calibration.value,
    evaluations: evaluations.value,
  }
  return parseRecipe(recipe, 'the options')
}

async function baseRecipe(values: Values): Promise<Result<Recipe>> {
  const [file, method] = [values.text('recipe'), values.text('method')]
  if (file === undefined) {
    if (method === undefined) return failure('option_invalid', `Say how: --method M, one of ${methodIds.join(', ')}.`)
    return parseRecipe({ signum_recipe: 1, method }, '--method')
  }
  const read = await readRecipe(file)
  if (read.ok && method !== undefined && method !== read.value.method) {
    return failure('option_invalid', `${file} is a recipe for ${read.value.method}, and --method says ${method}.`)
  }
  return read
}

function settings(values: Values, { method: id, parameters }: Recipe): Result<Parameters> {
  const method = findMethod(id)
  if (!method.ok) return method
  // What is as usual may give way: max_salient to a narrower blocksize.
  const changed = unusual(method.value, parameters)
  const named = values.text('preset')
  if (named !== undefined) {
    const preset = findPreset(method.value, named)
    if (!preset.ok) return preset
    Object.assign(changed, preset.value.parameters)
  }
  const given = readSettings(method.value, values.list('set'))
  return given.ok ? success({ ...changed, ...given.value }) : given
}

/** Those of the command line come first, so that they decide before the recipe's own. */
function overridesFrom(values: Values, { method: id, overrides }: Recipe): Result<Recipe['overrides']> {
  const method = findMethod(id)
  if (!method.ok) return method
  const given: Recipe['overrides'] = []
  for (const { name, value } of values.inOrder('override', 'keep')) {
    const read = name === 'keep' ? success({ match: value, keep: true as const }) : readOverride(value, method.value)
    if (!read.ok) return read
    given.push(read.value)
  }
  return success([...given, ...overrides])
}

function tablesFrom(values: Values): Result<Partial<TableTypes>> {
  const types: Partial<TableTypes> = {}
  for (const [option, key] of [
    ['embedding-type', 'embedding_type'],
    ['head-type', 'head_type'],
  ] as const) {
    const text = values.text(option)
    const type = tableTypes.find((one) => one === text)
    if (text !== undefined && type === undefined) {
      return failure('option_invalid', `--${option} must be one of ${tableTypes.join(', ')}, not '${text}'.`)
    }
    if (type !== undefined) types[key] = type
  }
  return success(types)
}

function calibrationFrom(values: Values, base: Recipe): Result<Recipe['calibration']> {
  const changes: Record<string, unknown> = {}
  const source = values.text('calibration')
  if (source !== undefined) changes['source'] = absolute(source)
  if (values.given('sampling')) changes['sampling'] = values.text('sampling')
  for (const name of ['sequences', 'length', 'seed']) if (values.given(name)) changes[name] = values.integer(name)
  if (values.given('calibration-join')) changes['join'] = values.text('calibration-join')
  const given = Object.keys(changes)
  if (given.length === 0) return success(base.calibration)
  if (source === undefined && base.calibration === null) {
    const option = given[0] === 'join' ? 'calibration-join' : given[0]
    return failure('option_invalid', `--${option} says how to sample a calibration text: give --calibration too.`)
  }
  const sampling = chosen(values, 'sampling', samplings)
  if (!sampling.ok) return sampling
  const join = chosen(values, 'calibration-join', joins)
  if (!join.ok) return join
  return success({ ...base.calibration, ...changes } as Recipe['calibration'])
}

async function evaluationsFrom(
  values: Values,
  base: Recipe,
  model: string | undefined,
): Promise<Result<Recipe['evaluations']>> {
  const sources = values.list('evaluation').map(absolute)
  const window = values.integer('window') ?? null
  const named = chosen(values, 'protocol', protocols)
  if (!named.ok) return named
  const rule = chosen(values, 'evaluation-join', joins)
  if (!rule.ok) return rule
  const protocol = named.value ?? 'papers'
  const join = rule.value ?? 'raw'
  if (values.flag('no-evaluation')) {
    const given = ['evaluation', 'window', 'protocol', 'evaluation-join'].find((name) => values.given(name))
    if (given === undefined) return success([])
    return failure('option_invalid', `--no-evaluation cannot be given together with --${given}.`)
  }
  if (sources.length > 0) return success(sources.map((source) => ({ source, window, protocol, join })))
  const evaluations = base.evaluations.map((one) => ({
    ...one,
    window: window ?? one.window,
    protocol: named.value ?? one.protocol,
    join: rule.value ?? one.join,
  }))
  if (evaluations.length > 0 || values.given('recipe')) return success(evaluations)
  // Without a tokenizer there is no default text; the model is still packed, and measured on token ids where they are given.
  const tokenizer = model !== undefined && (await there(path.join(model, 'tokenizer.json')))
  return success(tokenizer ? [{ source: standardEvaluation, window, protocol, join }] : [])
}

/** One of the words; null where the option is not given. */
export function chosen<T extends string>(values: Values, option: string, words: readonly T[]): Result<T | null> {
  const given = values.text(option)
  const word = words.find((one) => one === given) ?? null
  if (given === undefined || word !== null) return success(word)
  return failure('option_invalid', `--${option} must be ${words.join(' or ')}, not '${given}'.`)
}

export const absolute = (source: string): string => (source.startsWith(bundledPrefix) ? source : path.resolve(source))

const there = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  )
