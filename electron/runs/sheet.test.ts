import { expect, test } from 'vitest'
import type { MetricRow, RunDetails, RunSummary } from '../contract/history.ts'
import { model, recipe } from '../history/testing/open.ts'
import { sheetText, similarRuns } from './sheet.ts'

const metric = (name: string, value: number | null, changes: Partial<MetricRow> = {}): MetricRow => ({
  id: 1,
  model_id: null,
  run_id: 1,
  subject: 'packed',
  name,
  protocol: 'papers',
  value,
  standard_error: null,
  tokens: 3315,
  windows: 13,
  window: 256,
  source: 'bundled:evaluation-stories',
  sha256: 'aa',
  text_tokens: 3361,
  seconds: 2,
  measured_at: 0,
  ...changes,
})

const run = (id: number, bytes: number, changes: Partial<RunSummary> = {}): RunSummary => ({
  id,
  name: `run ${id}`,
  model_id: 1,
  method: 'gptq',
  recipe: recipe({ method: 'gptq', calibration: { source: '/a/wiki.txt', sampling: 'random', seed: 7, length: 64 } }),
  folder: null,
  device: 'cpu',
  device_name: null,
  precision: null,
  device_peak_bytes: null,
  status: 'finished',
  created_at: 0,
  started_at: 0,
  finished_at: 0,
  layers: 2,
  finished_layers: 2,
  nominal_bits: 3,
  linear_bits: 3.19,
  file_bits: 5.09,
  file_bytes: bytes,
  linear_bytes: 10,
  peak_resident_bytes: 10,
  seconds: {},
  program: 'signum 0.1.0',
  error_code: null,
  error_message: null,
  error_detail: null,
  output_error: null,
  note: '',
  tags: [],
  archived_at: null,
  metrics: [metric('perplexity', 31.28, { standard_error: 2.89 }), metric('kld', 0.0529, { standard_error: 0.0011 })],
  ...changes,
})

const whole = (changes: Partial<RunDetails> = {}): RunDetails => {
  const { path, ...seen } = model()
  return {
    ...run(1, 1_000_000),
    model: { ...seen, path, id: 1, name: 'tiny', added_at: 0, seen_at: 0 },
    layer_reports: [],
    exports: [],
    ...changes,
  }
}

test('similar: other finished runs of the model, files within a tenth, the smallest first', () => {
  const runs = [
    whole(),
    run(2, 1_100_000),
    run(3, 1_100_001),
    run(4, 900_000),
    run(5, 899_999),
    run(6, 1_000_000, { model_id: 2 }),
    run(7, 1_000_000, { status: 'failed' }),
  ]
  expect(similarRuns(whole(), runs).map(({ id }) => id)).toEqual([4, 2])
  expect(similarRuns(whole({ file_bytes: null }), runs)).toEqual([])
})

test('a sheet: sizes, each text with its protocol, original and packed, distances, runs of similar size', () => {
  const metrics = [
    metric('perplexity', 30.75, { subject: 'original', standard_error: 2.87, seconds: 1 }),
    ...run(1, 1).metrics,
    metric('kld_99.9', 0.66),
    metric('same_top', 0.8703, { standard_error: 0.0058 }),
    metric('log_ratio', Math.log(1.02), { standard_error: 0.01 }),
    metric('perplexity', 6, { protocol: 'llama.cpp', window: 128, tokens: 1638, windows: 26, standard_error: 0.5 }),
  ]
  const near = run(2, 1_050_000, { name: 'a | b' })
  const elsewhere = run(3, 1_050_000, { metrics: [metric('perplexity', 5, { sha256: 'bb' })] })
  const text = sheetText(whole({ metrics }), [near, elsewhere])
  expect(text.split('\n').filter(Boolean)).toEqual([
    '# run 1',
    '- Model: tiny, 5.00B parameters, F16',
    expect.stringMatching(/^- Method: gptq bits=2 .*damping=0.01/) as string,
    '- Calibration: wiki.txt, 128 x 64 tokens, random, seed 7',
    '- Program: signum 0.1.0',
    '## Size',
    '|  | nominal bits | linear bits | file bits | files |',
    '| --- | ---: | ---: | ---: | ---: |',
    '| original | - | - | 16.00 | 10.0 GB |',
    '| packed | 3.00 | 3.19 | 5.09 | 1.00 MB |',
    '## evaluation-stories',
    'Protocol papers, 13 windows of 256, 3,315 predicted tokens.',
    '|  | original | packed |',
    '| --- | ---: | ---: |',
    '| PPL | 30.75 ± 2.87 | 31.28 ± 2.89 |',
    '| tokens/s | 3,328 | 1,664 |',
    'Packed against the original:',
    '|  | value |',
    '| --- | ---: |',
    '| PPL(Q)/PPL(base) | 1.0200 ± 0.0102 |',
    '| ln(PPL(Q)/PPL(base)) | 0.0198 ± 0.0100 |',
    '| Mean KLD | 0.0529 ± 0.0011 |',
    '| 99.9 % KLD | 0.6600 |',
    '| Same top p | 87.03 % ± 0.58 % |',
    "Runs of this model with files within 10 % of this one's:",
    '| run | method | linear bits | file bits | files | PPL | mean KLD | same top p |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    expect.stringMatching(
      /^\| \*\*run 1\*\* \| gptq .* \| 31.28 ± 2.89 \| 0.0529 ± 0.0011 \| 87.03 % ± 0.58 % \|$/,
    ) as string,
    expect.stringMatching(/^\| a \\\| b \| gptq .* \| 1.05 MB \| 31.28 ± 2.89 \| 0.0529 ± 0.0011 \| - \|$/) as string,
    '## evaluation-stories',
    'Protocol llama.cpp, 26 windows of 128, 1,638 predicted tokens.',
    '|  | original | packed |',
    '| --- | ---: | ---: |',
    '| PPL | - | 6.00 ± 0.50 |',
    '| tokens/s | - | 1,664 |',
    "Runs of this model with files within 10 % of this one's: none was measured on these tokens.",
  ])
  const kept = recipe({ overrides: [{ match: 'down_proj', keep: true }] })
  expect(sheetText(whole({ recipe: kept }), [])).toContain('- Override: down_proj: ')
})

test('a run that measured nothing, of a model that is off the list', () => {
  const text = sheetText(whole({ model: null, metrics: [] }), [])
  expect(text).toContain('Nothing was measured.')
  expect(text).not.toContain('original')
})
