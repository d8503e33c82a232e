// What the window may ask for, and what it is told. Everything else of the contract is closed to it.
import { z } from 'zod'
import { calls, type Call } from './api.ts'
import { exportFormatSchema } from './exports.ts'
import { textRequestSchema, textAnswerSchema, type TextNews } from './generation.ts'
import type { QueueEvent } from './history.ts'
import type { Settings } from './settings.ts'

/** Calls of the workbench that the window may make. */
export const windowCalls = [
  'inspect',
  'library',
  'addModels',
  'forgetModel',
  'texts',
  'text',
  'sampledText',
  'curves',
  'plan',
  'gains',
  'forecast',
  'cards',
  'placement',
  'forecasts',
  'preflight',
  'readRecipe',
  'saveRecipe',
  'labOpen',
  'labTry',
  'labClose',
  'runs',
  'runList',
  'run',
  'deleteRun',
  'deleteRuns',
  'undoDelete',
  'tagRuns',
  'noteRun',
  'archiveRuns',
  'renameRun',
  'import',
  'runEvents',
  'report',
  'bytes',
  'linearBytes',
  'sheet',
  'tokenLosses',
  'runPictures',
  'pictureScale',
  'pictureEdges',
  'pictureDifference',
  'queue',
  'enqueue',
  'enqueueAll',
  'moveRun',
  'stopRun',
  'cancelRun',
  'cancelRuns',
  'resumeRun',
  'settings',
  'changeSettings',
  'caches',
  'emptyCache',
  'doctor',
] as const satisfies readonly Call[]
export type WindowCall = (typeof windowCalls)[number]

const title = z.string().min(1).max(200)

/** What only the program around the window can do. Answers are null where the person changed their mind. */
export const shellCalls = {
  chooseFolder: { request: z.object({ title }), answer: z.string().nullable() },
  chooseText: { request: z.object({ title }), answer: z.string().nullable() },
  chooseRecipe: { request: z.object({ title }), answer: z.string().nullable() },
  /** Writes the bytes where the person says; answers the path. */
  saveFile: {
    request: z.object({ suggested: title, bytes: z.instanceof(Uint8Array) }),
    answer: z.string().nullable(),
  },
  copyText: { request: z.object({ text: z.string().max(1_000_000) }), answer: z.null() },
  /** `generate`, told of by events that carry this id, one that the window has not used before. */
  startText: {
    request: textRequestSchema.extend({ id: z.int().min(1) }),
    answer: textAnswerSchema,
  },
  /** What is there of the text is its answer. */
  stopText: { request: z.object({ id: z.int().min(1) }), answer: z.null() },
  /** Writes a finished run for other programs; told of by `exporting`. One at a time. The dialog has asked before a file is replaced. */
  startExport: {
    request: z.object({
      run: z.int().min(1),
      output: z.string().min(1),
      format: exportFormatSchema,
      type: z.string().nullable(),
      shard_bytes: z.int().min(0),
    }),
    answer: calls.export.answer,
  },
  cancelExport: { request: z.object({}), answer: z.null() },
  /** A place for a new file, or for a new folder in the one that is chosen. */
  chooseOutput: {
    request: z.object({ title, suggested: title, folder: z.boolean() }),
    answer: z.string().nullable(),
  },
  /** An export of a run, as the history names it, in the desktop's file manager. */
  showExport: { request: z.object({ run: z.int().min(1), id: z.int().min(1) }), answer: z.null() },
  /** Ends the measuring that a plan waits for. */
  cancelPlan: { request: z.object({}), answer: z.null() },
  /** The folder of a run, in the desktop's file manager. */
  showRun: { request: z.object({ id: z.int().min(1) }), answer: z.null() },
  /** Tries a history anew that could not be opened. */
  openHistory: { request: z.object({}), answer: z.null() },
  about: {
    request: z.object({}),
    answer: z.object({ version: z.string(), data: z.string(), versions: z.record(z.string(), z.string()) }),
  },
} as const
export type ShellCall = keyof typeof shellCalls

export const windowContract = {
  ...(Object.fromEntries(windowCalls.map((name) => [name, calls[name]])) as Pick<typeof calls, WindowCall>),
  ...shellCalls,
}
export type WindowContract = typeof windowContract
export type WindowRequest<C extends keyof WindowContract> = z.input<WindowContract[C]['request']>
export type WindowAnswer<C extends keyof WindowContract> = z.infer<WindowContract[C]['answer']>

/** What the window hears unasked. */
export type WindowEvent =
  | QueueEvent
  /** Somebody changed the history: ask again for what is shown of it. */
  | { kind: 'history' }
  | { kind: 'settings'; settings: Settings }
  /** What comes of a text (startText); pieces of some 30 ms together. */
  | { kind: 'text'; id: number; news: TextNews }
  /** How far an export is. `eta`: seconds, or null. */
  | { kind: 'exporting'; run: number; phase: string; share: number; eta: number | null }
  /** How far the lab is with a linear. `eta`: seconds, or null. */
  | { kind: 'lab'; phase: string; share: number; eta: number | null }
  /** How far the measuring is that a plan waits for, 0 to 1. */
  | { kind: 'planning'; share: number }
