// Help pages, made from the commands' and the methods' own descriptions.
import { exitCodes } from '../contract/errors.ts'
import { methods, type Method, type Parameters } from '../contract/methods.ts'
import { rangeOf } from '../contract/parameters.ts'
import { commonOptions, type CommandSpec } from './options.ts'

const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`)

const pageWidth = 110

/** Two columns; the second begins where the longest of the first ends, and goes on below itself. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  const lines = rows.flatMap(([left, right]) =>
    wrapped(right, pageWidth - width - 4).map((part, i) => `${(i === 0 ? left : '').padEnd(width)}  ${part}`),
  )
  return indent(lines)
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

export const exitCodeHelp: readonly (readonly [string, string])[] = [
  [String(exitCodes.finished), 'finished'],
  [String(exitCodes.failed), 'failed; the message begins with a stable code'],
  [String(exitCodes.usage), 'the command line or the recipe is wrong; nothing was done'],
  [String(exitCodes.stopped), 'stopped after a layer; --resume goes on'],
  [String(exitCodes.cancelled), 'cancelled; finished layers remain, --resume goes on'],
  [
    String(exitCodes.interrupted),
    'cancelled where nothing remains (evaluate, generate, layer, export, models, doctor, demo)',
  ],
]

export function overview(version: string, commands: readonly CommandSpec[]): string {
  return [
    `signum ${version}: turns a language model on disk into a 1- to 2-bit model and measures what was lost.`,
    '',
    'Commands:',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Methods:',
    ...columns(methods.map(({ id, description }) => [id, description[0]])),
    '',
    'signum help COMMAND or signum help METHOD says more.',
    '',
    'Exit codes:',
    ...columns(exitCodeHelp),
  ].join('\n')
}

export function commandHelp({ name, summary, positionals, options, notes = [] }: CommandSpec): string {
  const usage = ['signum', name, ...positionals.map((one) => (one.optional ? `[${one.name}]` : one.name))]
  const rows = [...options, ...commonOptions].map((option): [string, string] => [
    `--${option.name}${option.value ? ` ${option.value}` : ''}`,
    option.help,
  ])
  const lines = [`${usage.join(' ')} [options]`, '', summary, '']
  if (positionals.length > 0) lines.push(...columns(positionals.map((one) => [one.name, one.help])), '')
  lines.push('Options:', ...columns(rows))
  if (options.some((option) => option.name === 'method')) {
    lines.push(
      '',
      'Methods (signum help METHOD shows the parameters):',
      ...columns(methods.map((one) => [one.id, one.title])),
    )
  }
  if (notes.length > 0) lines.push('', ...notes)
  return lines.join('\n')
}

export function methodHelp(method: Method): string {
  const { id, title, paper, description, stores, calibrationHelp, parameters, presets = [] } = method
  const rows = parameters.flatMap((one): [string, string][] => [
    [one.key, `${one.help}${one.unit ? ` [${one.unit}]` : ''}`],
    ['', `${rangeOf(one)}; default ${one.default}`],
  ])
  return [
    `${id}: ${title}${paper ? ` (${paper})` : ''}`,
    '',
    ...description,
    `Stores ${stores}.`,
    calibrationHelp,
    '',
    'Parameters (--set KEY=VALUE):',
    ...columns(rows),
    ...(presets.length > 0 ? ['', 'Presets (--preset NAME; --set changes what it says):'] : []),
    ...columns(presets.map((one) => [one.id, `${one.title}: ${settingsOf(one.parameters)}.`])),
  ].join('\n')
}

const settingsOf = (parameters: Parameters) =>
  Object.entries(parameters)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
