// A finished run as the history gives it, with what a test says differently.
import type { MetricRow, RunSummary } from '../../../../electron/contract/history.ts'
import { rowOf, type Row } from '../row.ts'

export function run(changes: Partial<RunSummary> = {}): RunSummary {
  const id = changes.id ?? 1
  return {
    id,
    name: `run ${id}`,
    model_id: 1,
    method: 'gptq',
    recipe: {
      signum_recipe: 1,
      model: '/models/tiny',
      method: 'gptq',
      parameters: { bits: 2, group: 128, order: 'natural', blocksize: 128, damping: 0.01, scale_type: 'f16' },
      overrides: [],
      embedding_type: 'source',
      head_type: 'source',
      calibration: {
        source: 'bundled:calibration-stories',
        sampling: 'sequential',
        sequences: 16,
        length: 128,
        seed: 0,
        join: 'raw',
      },
      evaluations: [{ source: 'bundled:evaluation-stories', window: 256, protocol: 'papers', join: 'raw' }],
    },
    folder: `/runs/${id}`,
    device: 'cpu',
    device_name: null,
    precision: null,
    device_peak_bytes: null,
    status: 'finished',
    created_at: 1_700_000_000_000,
    started_at: 1_700_000_000_000,
    finished_at: 1_700_000_010_000 + id,
    layers: 4,
    finished_layers: 4,
    nominal_bits: 2,
    linear_bits: 2.25,
    file_bits: 4.5,
    file_bytes: 2_000_000,
    linear_bytes: 1_000_000,
    peak_resident_bytes: 60_000_000,
    seconds: { quantize: 4, evaluate: 6 },
    program: 'signum 0.1.0',
    error_code: null,
    error_message: null,
    error_detail: null,
    output_error: null,
    note: '',
    tags: [],
    archived_at: null,
    metrics: [],
    ...changes,
  }
}

export const perplexity = (
  subject: MetricRow['subject'],
  value: number | null,
  changes: Partial<MetricRow> = {},
): MetricRow => ({
  id: 1,
  model_id: null,
  run_id: 1,
  subject,
  name: 'perplexity',
  protocol: 'papers',
  value,
  standard_error: 1.5,
  tokens: 3315,
  windows: 13,
  window: 256,
  source: 'bundled:evaluation-stories',
  sha256: 'aa',
  text_tokens: 3328,
  seconds: 1,
  measured_at: 1_700_000_010_000,
  ...changes,
})

export const row = (changes: Partial<RunSummary> = {}): Row => rowOf(run(changes), () => undefined)
