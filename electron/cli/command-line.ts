// One command line from its words to its exit code. The process around it is in main.ts; tests bring their own terminal.
import { exitCodes, failure, type Problem } from '../contract/errors.ts'
import { didYouMean } from '../contract/nearest.ts'
import { methodIds, methods } from '../contract/methods.ts'
import type { Attention } from '../contract/api.ts'
import type { Workbench } from '../workbench.ts'
import { refusal, reply, type Command, type Dialogue, type Reply, type Terminal } from './command.ts'
import { demo } from './demo.ts'
import { chat } from './chat.ts'
import { doctor } from './doctor.ts'
import { evaluate } from './evaluate.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { generate } from './generate.ts'
import { commandHelp, methodHelp, overview } from './help.ts'
import { layer } from './layer.ts'
import { models } from './models.ts'
import { Notes } from './notes.ts'
import { parseOptions } from './options.ts'
import { plan } from './plan.ts'
import { quantize } from './quantize.ts'
import { runs } from './runs.ts'

export const commands: readonly Command[] = [
  quantize,
  plan,
  layer,
  evaluate,
  generate,
  chat,
  exportCommand,
  importCommand,
  models,
  runs,
  doctor,
  demo,
]
const specs = commands.map(({ spec }) => spec)

/** `signals`: made only for a command that really starts; told whether it can be stopped after a layer. */
export type Surroundings = {
  workbench: Workbench
  terminal: Terminal
  /** Without one nobody types. */
  dialogue?: Dialogue
  signals: (stoppable: boolean) => Pick<Attention, 'stop' | 'cancel'>
}

export async function commandLine(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal } = surroundings
  // Also a command line that cannot be parsed answers in the form that was asked for.
  const asJson = argv.includes('--json')
  const { exitCode, text, json } = await answer(argv, surroundings).catch(bug)
  terminal.progress.clear()
  if (asJson) terminal.out(`${JSON.stringify(json, null, 1)}\n`)
  else if (text === null) return exitCode
  else if (exitCode === exitCodes.finished || !('error' in (json as object))) terminal.out(`${text}\n`)
  else terminal.err(`${text}${detail((json as { error: Problem }).error)}\n`)
  return exitCode
}

/** The last words of a worker that crashed, or where a bug is; of other errors the sentence says it all. */
const unexplained: readonly string[] = ['worker_crashed', 'worker_hung', 'internal']
const detail = ({ code, detail: words }: Problem) => (words && unexplained.includes(code) ? `\n${words}` : '')

const nobody: Dialogue = {
  lines: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
  interactive: false,
  onInterrupt: () => () => undefined,
}

/** Errors are values here: what is thrown was not foreseen. */
function bug(error: unknown): Reply {
  const words = error instanceof Error ? error : new Error(String(error))
  return refusal(failure('internal', `A bug in Signum, please report it: ${words.message}`, words.stack).problem)
}

async function answer(argv: readonly string[], surroundings: Surroundings): Promise<Reply> {
  const { workbench } = surroundings
  const [word, ...rest] = argv.filter((one, i) => !(i === 0 && one === '--json'))
  if (word === undefined || word === '--help' || word === '-h')
    return reply(overview(workbench.version, specs), { version: workbench.version })
  if (word === '--version' || word === '-V') return reply(workbench.version, { version: workbench.version })
  if (word === 'help') return help(rest.filter((one) => one !== '--json')[0], workbench.version)
  const command = commands.find(({ spec }) => spec.name === word)
  return command ? play(command, rest, surroundings) : unknownCommand(word)
}

async function play(command: Command, argv: readonly string[], surroundings: Surroundings): Promise<Reply> {
  const values = parseOptions(command.spec, argv)
  if (!values.ok) return refusal(values.problem)
  if (values.value.flag('help')) return help(command.spec.name, surroundings.workbench.version)
  const { terminal, dialogue = nobody } = surroundings
  const data = values.value.text('data')
  const workbench = data === undefined ? surroundings.workbench : surroundings.workbench.at(data)
  const notes = new Notes((text) => {
    terminal.progress.clear()
    terminal.err(text)
  })
  const attention: Attention = {
    ...(command.interrupt === 'own' ? {} : surroundings.signals(command.interrupt === 'stops')),
    onEvent: (event, step) => terminal.progress.take(event, step),
    onNote: (note) => notes.take(note),
  }
  try {
    return await command.run({ workbench, values: values.value, terminal, dialogue, attention })
  } finally {
    notes.end()
    await workbench.close()
  }
}

function help(word: string | undefined, version: string): Reply {
  const spec = specs.find(({ name }) => name === word)
  if (spec) return reply(commandHelp(spec), spec)
  const method = methods.find(({ id }) => id === word)
  if (method) return reply(methodHelp(method), method)
  if (word === undefined) return reply(overview(version, specs), { version })
  return unknownCommand(word, [...specs.map(({ name }) => name), ...methodIds], 'command or method')
}

function unknownCommand(
  word: string,
  names: readonly string[] = specs.map(({ name }) => name),
  what = 'command',
): Reply {
  const meant = didYouMean(word, names) || '.'
  return refusal(
    failure('command_unknown', `There is no ${what} '${word}'${meant} There are: ${names.join(', ')}.`).problem,
  )
}
