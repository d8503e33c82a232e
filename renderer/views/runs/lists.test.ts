import { describe, expect, it } from 'vitest'
import type { MetricRow } from '../../../electron/contract/history.ts'
import { csv } from '../../drawing/csv.ts'
import { layersTable } from './layers-table.ts'
import { afterDeletion, neighbour } from './order.ts'
import { pairs, ratioText } from './perplexities.ts'
import { recipeRows } from './recipe-rows.ts'

describe('neighbour', () => {
  const waiting = [1, 2, 3]
  it('is what a run goes before, one place up or down', () => {
    expect(neighbour(waiting, 2, -1)).toBe(1)
    expect(neighbour(waiting, 1, 1)).toBe(3)
    expect(neighbour(waiting, 2, 1)).toBeNull()
  })
  it('is nothing at the ends and for others', () => {
    expect(neighbour(waiting, 1, -1)).toBeUndefined()
    expect(neighbour(waiting, 3, 1)).toBeUndefined()
    expect(neighbour(waiting, 9, 1)).toBeUndefined()
  })
})

it('looks at the run below a deleted one, else at the one above', () => {
  expect(afterDeletion([5, 4, 3], 4)).toBe(3)
  expect(afterDeletion([5, 4, 3], 3)).toBe(4)
  expect(afterDeletion([5], 5)).toBeUndefined()
})

describe('pairs', () => {
  const metric = (subject: 'original' | 'packed', source: string, value: number | null): MetricRow => ({
    id: 1,
    model_id: null,
    run_id: 1,
    subject,
    source,
    sha256: source,
    text_tokens: 9,
    seconds: 1,
    measured_at: 0,
    name: 'perplexity',
    protocol: 'papers',
    value,
    standard_error: null,
    tokens: 8,
    windows: 1,
    window: 9,
  })
  it('puts packed beside original, in the order of the recipe', () => {
    const metrics = [metric('packed', 'b', 30), metric('original', 'b', 20), metric('packed', 'a', 5)]
    const found = pairs(metrics, ['a', 'b'])
    expect(found.map(({ source, ratio }) => [source, ratio])).toEqual([
      ['a', null],
      ['b', 1.5],
    ])
  })
  it('keeps protocols apart, and what is measured of the one beside the other with its text', () => {
    const kld = { ...metric('packed', 'a', 0.25), name: 'kld' }
    const other = { ...metric('packed', 'a', 6), protocol: 'llama.cpp' }
    const found = pairs([metric('packed', 'a', 5), kld, other])
    expect(found.map(({ packed, distance }) => [packed?.value, Object.keys(distance)])).toEqual([
      [5, ['kld']],
      [6, []],
    ])
  })
  it('has no ratio where a value is not finite', () => {
    expect(pairs([metric('packed', 'a', null), metric('original', 'a', 2)])[0]?.ratio).toBeNull()
  })
})

it('writes ratios with as many digits as they are worth', () => {
  expect([1.0613, 12.34, 345.6, 41_000].map(ratioText)).toEqual(['1.061×', '12.3×', '346×', '4.1e+4×'])
})

it('writes a line per linear, empty where there is no number, quoted where it must be', () => {
  const report = {
    name: 'a "b", c',
    layer: 0,
    method: 'gptq',
    kind: 'q_proj',
    rows: 1,
    columns: 2,
    nominal_bits: 1,
    linear_bits: 1.5,
    bytes: 3,
    relative_weight_error: 0.5,
    relative_output_error: null,
    salient_columns: null,
    plane1_sparsity: 0.75,
    plane2_sparsity: 0.5,
    seconds: 0.1,
  }
  const [head, line, end] = csv(layersTable([report])).split('\r\n')
  expect(head).toMatch(/^name,method,layer,kind/)
  expect(line).toBe('"a ""b"", c",gptq,0,q_proj,1,2,1,1.5,3,0.5,,,0.75,0.5,0.1')
  expect(end).toBe('')
})

describe('recipeRows', () => {
  const recipe = {
    signum_recipe: 1 as const,
    method: 'gptq',
    parameters: { bits: 3, group: -1, order: 'natural' },
    overrides: [],
    embedding_type: 'source' as const,
    head_type: 'source' as const,
    calibration: null,
    evaluations: [{ source: '/a/wiki.txt', window: 512, protocol: 'papers' as const, join: 'raw' as const }],
  }
  it('says what is not as usual, and what special values mean', () => {
    const { parameters } = recipeRows(recipe)
    expect(parameters.map(({ name, value, unit, changed }) => [name, value, unit, changed])).toEqual([
      ['Method', 'GPTQ', '', false],
      ['bits', '3', 'bits per weight', true],
      ['group', 'the whole row', '', true],
      ['order', 'natural', '', false],
    ])
  })
  it('reads recipes of methods that it does not know', () => {
    const { parameters } = recipeRows({ ...recipe, method: 'later', parameters: { some_thing: true } })
    expect(parameters.map(({ name, value }) => [name, value])).toEqual([
      ['Method', 'later'],
      ['some thing', 'yes'],
    ])
  })
})
