import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RunDetails } from '../../../electron/contract/history.ts'
import type { LayerReport } from '../../../electron/contract/records.ts'
import { depthOption, errorByKind } from '../../drawing/chart/error-by-depth.ts'
import { comparisonReport, type ComparisonFacts } from './comparison-report.ts'
import { html } from './html.ts'
import { mapDrawing } from './map.ts'
import { runReport, type RunFacts } from './run-report.ts'

const linear = (layer: number, kind: string, error: number | null): LayerReport => ({
  name: `layers.${layer}.${kind}`,
  method: 'gptq',
  layer,
  kind,
  rows: 64,
  columns: 128,
  nominal_bits: 2,
  linear_bits: 2.25,
  bytes: 2304,
  relative_weight_error: 0.25,
  relative_output_error: error,
  salient_columns: null,
  plane1_sparsity: null,
  plane2_sparsity: null,
  seconds: 0.1,
})
const reports = [linear(0, 'q_proj', 0.125), linear(0, 'down_proj', 0.5), linear(1, 'q_proj', null)]

const run = (name: string): RunDetails => ({
  id: 7,
  name,
  model_id: 1,
  method: 'gptq',
  recipe: {
    signum_recipe: 1,
    model: '/home/somebody/tiny',
    method: 'gptq',
    parameters: { bits: 2 },
    overrides: [],
    embedding_type: 'source',
    head_type: 'source',
    calibration: null,
    evaluations: [],
  },
  folder: '/home/somebody/runs/7',
  device: 'cpu',
  device_name: null,
  precision: null,
  device_peak_bytes: null,
  status: 'finished',
  created_at: 0,
  started_at: 0,
  finished_at: 1_790_000_000_000,
  layers: 2,
  finished_layers: 2,
  nominal_bits: 2,
  linear_bits: 2.25,
  file_bits: 4.5,
  file_bytes: 2_000_000,
  linear_bytes: 1_000_000,
  peak_resident_bytes: 1,
  seconds: { quantize: 61 },
  program: 'signum 0.1.0',
  error_code: null,
  error_message: null,
  error_detail: null,
  output_error: 0.3,
  note: '',
  tags: [],
  archived_at: null,
  metrics: [],
  model: {
    id: 1,
    name: 'tiny',
    path: '/home/somebody/tiny',
    architecture: 'llama',
    packed: false,
    parameters: 3_672_320,
    layers: 2,
    dtype: 'F16',
    bytes: 7_000_000,
    added_at: 0,
    seen_at: 0,
  },
  layer_reports: reports,
  exports: [],
})

const metric = (value: number, standard_error: number | null, name = 'perplexity') => ({
  id: 1,
  model_id: null,
  run_id: 7,
  subject: 'packed' as const,
  name,
  protocol: 'papers',
  value,
  standard_error,
  tokens: 3315,
  windows: 13,
  window: 256,
  source: 'bundled:evaluation-tales',
  sha256: 'aa',
  text_tokens: 3328,
  seconds: 1,
  measured_at: 0,
})

const facts = (name: string, changes: Partial<RunFacts> = {}): RunFacts => ({
  run: run(name),
  report: null,
  bytes: { codes: 10, signs: 0, second: 0, bitmaps: 0, scales: 30, order: 0, embeddings: 60, rest: 0, headers: 0 },
  measured: [
    {
      name: 'evaluation-tales',
      original: metric(28.82, 1.4),
      packed: metric(31.5, 1.5),
      ratio: 31.5 / 28.82,
      distance: { kld: metric(0.25, 0.01, 'kld'), same_top: metric(0.875, 0.01, 'same_top') },
    },
  ],
  recipe: [{ name: 'bits', value: '2', unit: 'bits per weight' }],
  line: "signum quantize tiny --method gptq --name 'a <b>'",
  date: 1_790_000_000_000,
  program: 'Signum 0.1.0',
  ...changes,
})

/** Markup that a name could smuggle in; drawings and styles of the page itself have none of it. */
const outside = /<(script|img|iframe|link|object)|\son\w+=|javascript:|https?:\/\/(?!www\.w3\.org\/)/i

describe('a report of a run', () => {
  test('has every number that a person asks for, and stands alone', async () => {
    const page = await runReport(facts('first'))
    for (const text of [
      '<title>first</title>',
      'Signum 0.1.0',
      '2026-09-21 14:13 UTC',
      'tiny',
      '3,672,320 parameters',
      '2.00 MB',
      '2.25',
      '4.50',
      '31.50 ± 1.50',
      '28.82 ± 1.40',
      '1.093×',
      '0.2500 ± 0.0100',
      '87.50 % ± 1.00 %',
      'papers, 13 windows of 256',
      'bits per weight',
      '&quot;signum_recipe&quot;: 1',
      'layers.1.q_proj',
      '0.5000',
      'light-dark(',
      '@media print',
    ]) {
      expect(page).toContain(text)
    }
    expect(page).not.toMatch(outside)
    // Where things lie on this machine is nobody's business.
    expect(page).not.toContain('/home/somebody')
    expect(page.match(/<svg /g)!.length).toBeGreaterThanOrEqual(3)
  })

  test('says so where something is not known', async () => {
    const page = await runReport(
      facts('bare', {
        bytes: null,
        measured: [],
        line: null,
        run: { ...run('bare'), layer_reports: [], model: null, file_bytes: null },
      }),
    )
    expect(page).toContain('was not measured on a text')
    expect(page).toContain('a model that is gone')
    expect(page).not.toContain('Map of the model')
    expect(page).not.toContain('NaN')
  })

  test('takes nothing of a name as markup', async () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '<script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        '</title><script>',
        "' onload='x",
        '<!--',
        '${x}',
        ']]>',
      ),
    )
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const page = await runReport(
          facts(name, {
            measured: [{ ...facts('').measured[0]!, name }],
            recipe: [{ name, value: name, unit: name }],
            line: name,
          }),
        )
        expect(page).not.toMatch(/<(script|img|iframe|link|object)/i)
        expect(page.match(/<!--/g)).toBeNull()
        expect(page.match(/<title>/g)!.length).toBe(1 + reports.length + 3)
      }),
      { numRuns: 40 },
    )
  })
})

const comparison = (name: string): ComparisonFacts => ({
  models: [name],
  baseline: name,
  columns: [{ title: 'File size', numeric: true }, { title: name }],
  rows: [
    {
      name,
      colour: 'red',
      cells: [
        { text: '2.00 MB', delta: { text: '+5.0 %', verdict: 'worse' } },
        { text: name, delta: null },
      ],
    },
    {
      name: 'second',
      colour: 'blue',
      cells: [
        { text: '1.90 MB', delta: null },
        { text: '', delta: null },
      ],
    },
  ],
  charts: [
    {
      title: name,
      label: name,
      option: depthOption(errorByKind(reports, 'relative_output_error'), 2, 'relative_output_error'),
      legend: [{ name, colour: 'red' }],
    },
  ],
  recipes: [{ key: 'bits', values: ['2', null] }],
  recipeNames: [name, 'second'],
  protocols: [name],
  date: 0,
  program: 'Signum 0.1.0',
})

describe('a report of a comparison', () => {
  test('has a row a run with what differs from the baseline, the charts and the recipes', async () => {
    const page = await comparisonReport(comparison('first'))
    expect(page).toContain('Comparison of 2 runs')
    expect(page).toMatch(/2\.00 MB\s*<span class="delta worse"\s*>\+5\.0 %<\/span\s*>/)
    expect(page).toContain('Entries in which the recipes differ')
    expect(page).toContain('decoder layer')
    expect(page).not.toMatch(outside)
  })

  test('takes nothing of a name as markup', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (name) => {
        const page = await comparisonReport(comparison(`<img src=x>${name}`))
        expect(page).not.toMatch(/<(script|img)/i)
      }),
      { numRuns: 20 },
    )
  })
})

test('what is put into a template is text, unless it is HTML itself', () => {
  expect(html`<p title="${'"a" & <b>'}">${'<b>'} ${html`<i>${1}</i>`}${[html`x`, html`y`]}</p>`.markup).toBe(
    '<p title="&quot;a&quot; &amp; &lt;b&gt;">&lt;b&gt; <i>1</i>xy</p>',
  )
})

test('the map has a tile a linear, named; one without a number is not coloured as one with', () => {
  const { svg } = mapDrawing(reports, 'relative_output_error')
  expect(svg.match(/<rect/g)).toHaveLength(3)
  expect(svg).toContain('no number')
  expect(svg).toContain('Layer 0, down, 64 × 128: 0.5000')
})
