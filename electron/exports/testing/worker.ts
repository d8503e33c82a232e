// The worker's own answers, for tests of exports.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ExportOptions } from '../../contract/exports.ts'
import { parseRecipe } from '../../contract/recipe.ts'
import type { Jobs, WorkerCommand, WorkerResult } from '../../contract/worker.ts'
import { tokenBytes } from '../../models/tokens.ts'
import { openSafetensors } from '../../packed/safetensors.ts'
import { workerPath } from '../../packed/testing/worker.ts'
import { runWorker } from '../../worker/process.ts'

async function answerOf<C extends WorkerCommand>(command: C, job: Jobs[C]): Promise<WorkerResult<C>> {
  const ending = await runWorker({ program: workerPath(), command, job })
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  return ending.value
}

type GgufType = Extract<ExportOptions, { format: 'gguf' }>['type']

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
export async function quantizeRtn(model: string, run: string): Promise<string> {
  const asked = parseRecipe({ signum_recipe: 1, method: 'rtn', parameters: { bits: 3 }, evaluations: [] }, 'test')
  if (!asked.ok) throw new Error(asked.problem.message)
  const { method, parameters } = asked.value
  const rest = { run, recipe: { method, parameters }, calibration: null, resume: false, activation_limit: 2 ** 30 }
  return (await answerOf('quantize', { version: 1, threads: 1, model, ...rest })).packed
}
