// Everything that can be known to go wrong before any work is done, each with its code and one sentence. Pure: what was
// found comes in, a problem or null goes out.
import type { Calibration, Recipe } from '../contract/recipe.ts'
import { automatic, isCard } from '../contract/devices.ts'
import { leastWindow, leastWindows, type Protocol } from '../contract/evaluation.ts'
import { count, size } from '../contract/quantities.ts'
import { failure, type ErrorCode, type Problem } from '../contract/errors.ts'
import type { FolderState } from './folder.ts'

export type ResolvedCalibration = Calibration & { length: number }

const problem = (code: ErrorCode, message: string): Problem => failure(code, message).problem
export function checkFolder(out: string, state: FolderState, resume: boolean): Problem | null {
  if (state.kind === 'foreign') {
    return problem('run_in_use', `${out} is in use: it holds ${state.holds}, which is not a run of Signum's.`)
  }
  if (state.kind === 'fresh') {
    return resume ? problem('nothing_to_resume', `There is no run in ${out} to go on with.`) : null
  }
  if (resume) return null
  const { method } = state.recipe
  return problem(
    'run_in_use',
    `${out} is in use: it holds a run of ${method}; go on with it by --resume, or choose another folder.`,
  )
}

/** A card's arithmetic is not the processor's: the layers of one run are made by one of the two. */
export function checkSameDevice(begun: string, asked: string | undefined): Problem | null {
  if (asked === undefined || asked === automatic || isCard(begun) === isCard(asked)) return null
  return problem(
    'resume_mismatch',
    `The run was begun on ${begun}, not on ${asked}: devices round differently, so it goes on elsewhere only where that is asked for.`,
  )
}

/** What a resumed run would do differently from the one that was begun. */
export function checkSame(begun: Recipe, asked: Recipe): Problem | null {
  const [before, now] = [flat(begun), flat(asked)]
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (before[key] === now[key]) continue
    const said = (value: string | undefined) => value ?? 'none'
    return problem('resume_mismatch', `The run was begun with ${key} ${said(before[key])}, not ${said(now[key])}.`)
  }
  return null
}

/** Every leaf of a recipe by its path: `calibration.length` and the like. */
function flat(value: unknown, path = ''): Record<string, string> {
  if (typeof value !== 'object' || value === null) return { [path]: String(value) }
  const leaves: Record<string, string> = {}
  for (const [key, part] of Object.entries(value)) {
    if (part !== undefined) Object.assign(leaves, flat(part, path ? `${path}.${key}` : key))
  }
  return leaves
}

/** Windows and sequences may not be longer than the positions that the model knows. */
export function checkContext(what: string, length: number, context: number): Problem | null {
  if (length <= context) return null
  return problem(
    'context_too_long',
    `${what} of ${count(length)} tokens is longer than the model's context of ${count(context)}.`,
  )
}

export function checkCalibration(tokens: number, calibration: ResolvedCalibration): Problem | null {
  const { source, sampling, sequences, length } = calibration
  const sequential = sampling === 'sequential'
  // A random window starts at one of tokens - length places: there must be one.
  const needed = sequential ? sequences * length : length + 1
  if (tokens >= needed) return null
  const asked = sequential
    ? `${count(sequences)} sequences of ${count(length)} tokens`
    : `random windows of ${count(length)} tokens`
  return problem(
    'calibration_too_short',
    `${source} has ${count(tokens)} tokens, and ${asked} need ${count(needed)}: ${whatFits(tokens, calibration)}.`,
  )
}

function whatFits(tokens: number, { sampling, length }: ResolvedCalibration): string {
  if (tokens < 3) return 'give a longer text'
  if (sampling === 'random') return `a length of ${count(tokens - 1)} would fit`
  if (tokens < length) return `one sequence of ${count(tokens)} would fit`
  const sequences = Math.floor(tokens / length)
  return sequences === 1 ? 'one sequence would fit' : `${count(sequences)} sequences would fit`
}

export function checkEvaluation(
  source: string,
  tokens: number,
  { window, protocol }: { window: number; protocol: Protocol },
): Problem | null {
  const [windows, least] = [leastWindows[protocol], leastWindow[protocol]]
  if (window < least) {
    return problem(
      'recipe_invalid',
      `A window of the protocol ${protocol} has at least ${least} tokens, not ${window}.`,
    )
  }
  if (tokens >= windows * window) return null
  const fits = Math.floor(tokens / windows)
  const out = fits >= least ? `a window of ${count(fits)} would fit` : 'give a longer text'
  const needs = windows === 1 ? 'one window needs' : `${protocol} needs two windows,`
  return problem(
    'evaluation_too_short',
    `${source} has ${count(tokens)} tokens, and ${needs} ${count(windows * window)}: ${out}.`,
  )
}

export function checkDisk(out: string, needed: number, there: number): Problem | null {
  if (there >= needed) return null
  return problem('disk_full', `The run needs about ${size(needed)} of disk for ${out}, and ${size(there)} are free.`)
}

export function checkMemory(needed: number, there: number, step: 'quantize' | 'evaluate'): Problem | null {
  if (there >= needed) return null
  const less =
    step === 'quantize' ? 'fewer or shorter sequences need less' : 'a shorter evaluation text, or none, needs less'
  return problem(
    'memory_short',
    `The run needs about ${size(needed)} of memory, and ${size(there)} are available: ${less}.`,
  )
}
