// What a command is and what it is given.
import type { Attention, Ending } from '../contract/api.ts'
import { exitCodeOf, exitCodes, type Problem } from '../contract/errors.ts'
import type { Workbench } from '../workbench.ts'
import type { CommandSpec, Values } from './options.ts'
import type { ProgressLine } from './progress.ts'

/** What a person types while a command lasts, line by line. */
export type Dialogue = {
  lines: () => AsyncIterator<string>
  /** Somebody sits there, and no program. */
  interactive: boolean
  /** Ctrl-C; ends by what it gives back. */
  onInterrupt: (listener: () => void) => () => void
}

export type Terminal = {
  /** Results. */
  out: (text: string) => void
  /** Everything else. */
  err: (text: string) => void
  progress: ProgressLine
}

export type Task = {
  workbench: Workbench
  values: Values
  terminal: Terminal
  dialogue: Dialogue
  /** Progress, notes and Ctrl-C, to be handed to every call. */
  attention: Attention
}

/** What a command says in the end: `text` for people (null: it has said it), `json` for programs. */
export type Reply = { exitCode: number; text: string | null; json: unknown }

export type Command = {
  spec: CommandSpec
  run: (task: Task) => Promise<Reply>
  /** Ctrl-C stops after a layer, cancels (the default), or is the command's own (`dialogue`). */
  interrupt?: 'stops' | 'cancels' | 'own'
}

export const reply = (text: string | null, json: unknown, exitCode: number = exitCodes.finished): Reply => ({
  exitCode,
  text,
  json,
})

export const refusal = (problem: Problem): Reply =>
  reply(`${problem.code}: ${problem.message}`, { error: problem }, exitCodeOf(problem.code))

/** The reply to a call that did not finish. `resumable`: how to go on, where there is something left to go on with. */
export function unfinished(ending: Exclude<Ending<unknown>, { kind: 'finished' }>, resumable: string | null): Reply {
  const goOn = resumable === null ? '' : ` ${resumable}`
  switch (ending.kind) {
    case 'failed':
      return refusal(ending.problem)
    case 'stopped': {
      const { finishedLayers, layers } = ending
      const json = { stopped: { finished_layers: finishedLayers, layers } }
      return reply(`Stopped after ${finishedLayers} of ${layers} layers.${goOn}`, json, exitCodes.stopped)
    }
    case 'cancelled':
      return reply(
        `Cancelled.${goOn}`,
        { cancelled: true },
        resumable === null ? exitCodes.interrupted : exitCodes.cancelled,
      )
  }
}
