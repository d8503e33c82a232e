// A recipe as the line that makes the command line do the same.
import { automatic, type Precision } from './devices.ts'
import { bundledPrefix, type Evaluation, type Recipe } from './recipe.ts'
import { findMethod, unusual } from './methods.ts'
import { overrideText } from './override-text.ts'
import { lastPart } from './run-name.ts'
import { chosenTables } from './tables.ts'

export type Asked = {
  /** Folders and files by absolute paths: the line means the same wherever it is typed. */
  model: string
  recipe: Recipe
  name: string | null
  /** 0: as many as the machine has. */
  threads: number
  /** Undefined, or `auto`: not said. */
  device?: string
  precision?: Precision
  out: string
}

/**
 * `signum quantize ...` for a POSIX shell, with what is not as usual. Null where the recipe says more than options can:
 * its texts are measured in windows of different lengths, by different protocols, or joined differently.
 */
export function quantizeLine({ model, recipe, name, threads, device, precision, out }: Asked): string | null {
  const ofTexts = <K extends keyof Evaluation>(key: K) => new Set(recipe.evaluations.map((one) => one[key]))
  const [windows, protocols, joins] = [ofTexts('window'), ofTexts('protocol'), ofTexts('join')]
  const method = findMethod(recipe.method)
  if ([windows, protocols, joins].some(({ size }) => size > 1) || !method.ok) return null
  const words = ['signum', 'quantize', model, ...option('method', recipe.method)]
  for (const [key, value] of Object.entries(unusual(method.value, recipe.parameters))) {
    words.push(...option('set', `${key}=${value}`))
  }
  for (const override of recipe.overrides) {
    const text = overrideText(override)
    words.push(...(text === null ? option('keep', override.match) : option('override', text)))
  }
  for (const [key, type] of chosenTables(recipe)) words.push(...option(key.replace('_', '-'), type))
  if (recipe.calibration !== null) {
    const { source, sampling, sequences, length, seed, join } = recipe.calibration
    words.push(...option('calibration', source))
    if (sampling !== 'sequential') words.push(...option('sampling', sampling))
    if (sequences !== 128) words.push(...option('sequences', String(sequences)))
    if (length !== null) words.push(...option('length', String(length)))
    if (seed !== 0) words.push(...option('seed', String(seed)))
    if (join !== 'raw') words.push(...option('calibration-join', join))
  }
  for (const { source } of recipe.evaluations) words.push(...option('evaluation', source))
  const [window] = windows
  if (window !== undefined && window !== null) words.push(...option('window', String(window)))
  for (const protocol of protocols) if (protocol !== 'papers') words.push(...option('protocol', protocol))
  for (const join of joins) if (join !== 'raw') words.push(...option('evaluation-join', join))
  if (recipe.evaluations.length === 0) words.push('--no-evaluation')
  if (name !== null) words.push(...option('name', name))
  if (threads > 0) words.push(...option('threads', String(threads)))
  if (device !== undefined && device !== automatic) words.push(...option('device', device))
  if (precision !== undefined && precision !== 'f32') words.push(...option('precision', precision))
  words.push(...option('out', out))
  return words.map(quoted).join(' ')
}

/** What begins with a dash would be taken for an option, were it a word of its own. */
const option = (name: string, value: string): string[] =>
  value.startsWith('-') ? [`--${name}=${value}`] : [`--${name}`, value]

/** A word as a POSIX shell reads it back. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/** A folder for the run, from its name: `runs/tinyllama-gptq-bits-3`. */
export function outOf(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-')
  return `runs/${plain.replaceAll(/^[-.]+|[-.]+$/g, '').slice(0, 80) || 'run'}`
}

/** How a source is called on screen: without the prefix, or without its folder. */
export const sourceName = (source: string): string =>
  source.startsWith(bundledPrefix) ? source.slice(bundledPrefix.length) : lastPart(source)
