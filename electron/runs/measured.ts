// What candidate recipes lose on a model's linears: measured by the worker, and kept beside the history.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Attention, Ending } from '../contract/api.ts'
import type { LinearRecipe } from '../contract/overrides.ts'
import { measuredSchema, type Measured } from '../contract/plan.ts'
import type { Model } from '../contract/records.ts'
import { measurementsFolder } from '../history/place.ts'
import { sha256 } from '../models/tokens.ts'
import { linearCost, sum } from '../bits/linear.ts'
import { refuse, stoppedAtOnce, work, type Context } from './context.ts'
import { activationLimit } from './needs.ts'
import type { ResolvedCalibration } from './preflight.ts'
import type { SourceTokens } from './source.ts'
import { writeJson } from './written.ts'

export type Wanted = {
  model: Model
  candidates: LinearRecipe[]
  calibration: ResolvedCalibration
  text: SourceTokens
  threads: number
}

/** Tokens at which predictions are compared: their means are within a few per cent of those over many more. */
export const probeTokens = 1024

/** The file that keeps it; null without a history. What it depends on is in its name, so it is never stale. */
export async function measurementFile(context: Context, wanted: Wanted): Promise<string | null> {
  const history = await context.history?.()
  if (!history?.ok) return null
  const { model, candidates, calibration, text } = wanted
  const hash = await inputsHash(model, calibration, text, { candidates })
  return path.join(measurementsFolder(history.value.data), `${path.basename(model.path)}-${hash}.json`)
}

/** Of the model's files and of the windows that are read: what was computed from the same ones is the same. */
export async function inputsHash(
  model: Model,
  calibration: ResolvedCalibration,
  text: SourceTokens,
  more: object = {},
): Promise<string> {
  const files = await Promise.all(model.files.map((file) => signature(model.path, file.name)))
  const { sampling, sequences, length, seed } = calibration
  const key = { program: model.program, files, ...more, text: text.tokens.sha256, sampling, sequences, length, seed }
  return sha256(Buffer.from(JSON.stringify(key))).slice(0, 32)
}

async function signature(folder: string, name: string) {
  const found = await stat(path.join(folder, name)).catch(() => null)
  return [name, found?.size ?? 0, found?.mtimeMs ?? 0]
}

/** Null where there is none, or none that can be read. */
export async function readMeasured(file: string | null): Promise<Measured | null> {
  if (file === null) return null
  try {
    return measuredSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return null
  }
}

export async function keepMeasured(file: string, measured: Measured): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  await writeJson(file, measured)
}

/** A stop ends it like a cancel. */
export async function measureCandidates(
  context: Context,
  { model, candidates, calibration, text, threads }: Wanted,
  attention: Attention,
): Promise<Ending<Measured>> {
  const rows = new Map(model.linears.map(({ name }) => [name, { name, sensitivity: 0, errors: [] as number[] }]))
  const began = performance.now()
  const folder = await mkdtemp(path.join(tmpdir(), 'signum-'))
  let broken = false
  try {
    const tokens = path.join(folder, 'calibration.u32')
    await writeFile(tokens, text.bytes)
    const { sampling, sequences, length, seed } = calibration
    const job = {
      version: 1 as const,
      threads,
      model: model.path,
      candidates,
      calibration: { tokens, sampling, sequences, length, seed },
      probe: middleOf(candidates, model),
      probe_sequences: Math.min(sequences, Math.ceil(probeTokens / length)),
      folder,
      activation_limit: activationLimit(await context.machine.availableMemory()),
    }
    const ending = await work(
      context,
      'measure',
      job,
      stoppedAtOnce(attention),
      { name: 'measure' },
      {
        onEvent: (event) => {
          if (event.event === 'measured') {
            const row = rows.get(event.name)
            if (row) row.errors[event.candidate] = event.relative_output_error ?? 0
            broken ||= row === undefined || event.relative_output_error === null
          }
          if (event.event !== 'sensitivity') return
          const { name, kld, relative_output_error: error } = event
          const row = rows.get(name)
          if (row && kld !== null && error !== null) row.sensitivity = error > 0 ? Math.max(0, kld) / error ** 2 : 0
          else broken = true
        },
      },
    )
    if (ending.kind !== 'finished') return ending
    const linears = [...rows.values()]
    broken ||= linears.some(({ errors }) => errors.length !== candidates.length)
    if (broken) return refuse('worker_crashed', 'The worker finished without measuring every linear.')
    const { tokens: taken, probe_tokens } = ending.value
    const seconds = (performance.now() - began) / 1000
    return {
      kind: 'finished',
      value: { candidates, linears, tokens: taken, probe_tokens, seconds, measured_at: Date.now() },
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The candidate of middle size on the model's largest linear: probes with finer and coarser ones tell much the same. */
function middleOf(candidates: readonly LinearRecipe[], { linears }: Model): number {
  const largest = linears.toSorted((a, b) => b.rows * b.columns - a.rows * a.columns)[0]!
  const sizes = candidates.map(({ method, parameters }, place) => {
    return { place, bytes: sum(linearCost(method, parameters, largest, 0).bytes) }
  })
  return sizes.toSorted((a, b) => a.bytes - b.bytes)[Math.floor((sizes.length - 1) / 2)]!.place
}
