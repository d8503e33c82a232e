// The worker's own answers, for tests of exports.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ExportOptions } from '../../contract/exports.ts'
import { parseRecipe } from '../../contract/recipe.ts'
import type { Jobs, WorkerCommand, WorkerResult } from '../../contract/worker.ts'
import { uniform } from '../../models/testing/random.ts'
import { tokenBytes } from '../../models/tokens.ts'
import { openSafetensors } from '../../packed/safetensors.ts'
import { workerPath } from '../../packed/testing/worker.ts'
import { runWorker } from '../../worker/process.ts'

async function answerOf<C extends WorkerCommand>(command: C, job: Jobs[C]): Promise<WorkerResult<C>> {
  const ending = await runWorker({ program: workerPath(), command, job })
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  return ending.value
}

export type GgufType = Extract<ExportOptions, { format: 'gguf' }>['type']

export const exportGguf = (model: string, output: string, type: GgufType = 'f32') =>
  answerOf('export', { version: 1, threads: 1, model, output, format: 'gguf', type })

/** [tokens, vocabulary]. `folder`: for the files on the way. */
export async function logitsOf(folder: string, model: string, ids: readonly number[]): Promise<Float32Array> {
  const [tokens, output] = [path.join(folder, 'logits.u32'), path.join(folder, 'logits.safetensors')]
  await writeFile(tokens, tokenBytes(Uint32Array.from(ids)))
  await answerOf('logits', { version: 1, threads: 1, model, tokens, output })
  const file = await openSafetensors(output)
  try {
    return new Float32Array((await file.read('logits')).buffer)
  } finally {
    await file.close()
  }
}

/** Quantizes to 3 bits, without calibration; gives the packed folder. */
export const quantizeRtn = (model: string, run: string): Promise<string> => quantize(model, run, 'rtn', { bits: 3 })

/** Without calibration, or with random tokens; gives the packed folder. */
export async function quantize(
  model: string,
  run: string,
  method: string,
  parameters: Record<string, unknown>,
  vocabulary?: number,
): Promise<string> {
  const asked = parseRecipe({ signum_recipe: 1, method, parameters, evaluations: [] }, 'test')
  if (!asked.ok) throw new Error(asked.problem.message)
  const recipe = { method: asked.value.method, parameters: asked.value.parameters }
  let calibration: Jobs['quantize']['calibration'] = null
  if (vocabulary !== undefined) {
    const tokens = `${run}.u32`
    const next = uniform(3)
    await writeFile(tokens, tokenBytes(Uint32Array.from({ length: 512 }, () => Math.floor(next() * vocabulary))))
    calibration = { tokens, sampling: 'sequential', sequences: 8, length: 64, seed: 0 }
  }
  const rest = { run, recipe, calibration, resume: false, activation_limit: 2 ** 30 }
  return (await answerOf('quantize', { version: 1, threads: 1, model, ...rest })).packed
}
