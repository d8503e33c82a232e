// A history in a folder of its own, with a clock that the test sets.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseRecipe, type Recipe } from '../../contract/recipe.ts'
import type { Model } from '../../contract/records.ts'
import { openHistory, type History } from '../history.ts'
import { theseProcesses, type Clock, type Processes } from '../owner.ts'

export const newFolder = () => mkdtempSync(path.join(tmpdir(), 'signum-test-'))

export class TestClock implements Clock {
  time = 1_700_000_000_000
  awake: number | null = 1_000_000
  now = () => this.time
  uptime = () => this.awake
  pass(milliseconds: number): void {
    this.time += milliseconds
    if (this.awake !== null) this.awake += milliseconds
  }
}

export async function historyIn(data: string, clock?: Clock, changes: Partial<Processes> = {}): Promise<History> {
  const processes = { ...theseProcesses(), ...changes }
  const opened = await openHistory(data, clock ? { clock, processes } : { processes })
  if (!opened.ok) throw new Error(JSON.stringify(opened.problem))
  return opened.value
}

export const model = (path = '/models/tiny', changes: Partial<Model> = {}): Model => ({
  path,
  architecture: 'LlamaForCausalLM',
  packed: false,
  parameters: 5_000_000_000,
  layers: 2,
  hidden: 256,
  intermediate: 768,
  heads: 4,
  kv_heads: 2,
  vocabulary: 2048,
  context: 256,
  tied: true,
  dtype: 'F16',
  bytes: 10_000_000_000,
  files: [],
  linears: [{ name: 'q', layer: 0, kind: 'q_proj', rows: 256, columns: 256 }],
  ...changes,
})

export function recipe(changes: object = {}): Recipe {
  const parsed = parseRecipe({ signum_recipe: 1, method: 'rtn', ...changes }, 'test')
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.value
}

export const newRun = (folder: string | null = null) => ({ name: 'a run', recipe: recipe(), folder, device: 'cpu' })

export const layerReport = (name: string, layer = 0) => ({
  name,
  method: 'rtn',
  layer,
  kind: 'q_proj',
  rows: 256,
  columns: 256,
  nominal_bits: 2,
  linear_bits: 2.1,
  bytes: 1000,
  relative_weight_error: 0.5,
  relative_output_error: null,
  salient_columns: null,
  plane1_sparsity: null,
  plane2_sparsity: null,
  seconds: 0.25,
})

export const measurement = (value: number | null) => ({
  protocol: 'papers',
  value,
  standard_error: 1.5,
  tokens: 100,
  windows: 4,
  window: 25,
  seconds: 0.5,
})
export const text = { source: 'bundled:evaluation-stories', sha256: 'ab', tokens: 101 }
