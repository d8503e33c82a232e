import { describe, expect, it } from 'vitest'
import { errorByKind, errorByLayer, measureOf } from './error-by-depth.ts'
import { tooltipText } from './option.ts'

const report = (kind: string, layer: number, output: number | null, weight: number | null = 0.5) => ({
  kind,
  layer,
  relative_output_error: output,
  relative_weight_error: weight,
})

describe('errorByKind', () => {
  it('is one line per kind in the order of the block, by layer, without what was not finite', () => {
    const reports = [
      report('down_proj', 1, 0.4),
      report('q_proj', 1, 0.2),
      report('q_proj', 0, 0.1),
      report('odd', 0, 0.9),
      report('down_proj', 0, null),
    ]
    const series = errorByKind(reports, 'relative_output_error')
    expect(series.map(({ id, points }) => [id, points])).toEqual([
      [
        'q_proj',
        [
          [0, 0.1],
          [1, 0.2],
        ],
      ],
      ['down_proj', [[1, 0.4]]],
      ['odd', [[0, 0.9]]],
    ])
  })

  it('gives no two known kinds the same colour', () => {
    const kinds = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']
    const series = errorByKind(
      kinds.map((kind) => report(kind, 0, 1)),
      'relative_output_error',
    )
    expect(new Set(series.map(({ colour }) => colour)).size).toBe(kinds.length)
  })
})

describe('errorByLayer', () => {
  it('weighs linears by their parameters', () => {
    const reports = [
      { ...report('q_proj', 0, 0.1), rows: 1, columns: 3 },
      { ...report('k_proj', 0, 0.5), rows: 1, columns: 1 },
      { ...report('k_proj', 1, null), rows: 1, columns: 1 },
    ]
    expect(errorByLayer(reports, 'relative_output_error')).toEqual([[0, 0.2]])
  })
})

it('shows weight errors only where there are no output errors', () => {
  expect(measureOf([report('q_proj', 0, null)])).toBe('relative_weight_error')
  expect(measureOf([])).toBe('relative_output_error')
  expect(measureOf([report('q_proj', 0, null), report('k_proj', 0, 1)])).toBe('relative_output_error')
})

it('takes nothing of a name as HTML', () => {
  expect(tooltipText('<b>', [{ name: '<img onerror=x>', value: '"1"' }])).not.toMatch(/<b>|<img/)
})
