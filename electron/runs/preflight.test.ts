import { describe, expect, test } from 'vitest'
import type { Model } from '../contract/records.ts'
import type { Recipe } from '../contract/recipe.ts'
import {
  activationLimit,
  activationsInFile,
  diskNeeded,
  evaluationBesideCard,
  evaluationMemoryNeeded,
  memoryNeeded,
} from './needs.ts'
import * as preflight from './preflight.ts'

const said = (problem: { code: string; message: string } | null) =>
  problem === null ? 'fine' : `${problem.code}: ${problem.message}`

const recipe: Recipe = {
  signum_recipe: 1,
  model: '/m',
  method: 'gptq',
  parameters: { bits: 2, group: 128 },
  overrides: [],
  embedding_type: 'source',
  head_type: 'source',
  calibration: { source: '/t.txt', sampling: 'sequential', sequences: 4, length: 16, seed: 0, join: 'raw' },
  evaluations: [{ source: 'bundled:evaluation-stories', window: 16, protocol: 'papers', join: 'raw' }],
}

describe("the run's folder", () => {
  const run = { kind: 'run', recipe, begun: true, device: null, report: null } as const
  test.each([
    ['a fresh folder', { kind: 'fresh' }, false, 'fine'],
    ['a fresh folder to resume', { kind: 'fresh' }, true, 'nothing_to_resume: There is no run in /o to go on with.'],
    ['a run to resume', run, true, 'fine'],
    [
      'a run',
      run,
      false,
      'run_in_use: /o is in use: it holds a run of gptq; go on with it by --resume, or choose another folder.',
    ],
    [
      'something else',
      { kind: 'foreign', holds: 'thesis.txt' },
      true,
      "run_in_use: /o is in use: it holds thesis.txt, which is not a run of Signum's.",
    ],
  ] as const)('%s', (_name, state, resume, words) => {
    expect(said(preflight.checkFolder('/o', state, resume))).toBe(words)
  })
})

describe('a resumed run is the one that was begun', () => {
  test.each([
    ['parameters.bits 2, not 3', { parameters: { bits: 3, group: 128 } }],
    ['method gptq, not rtn', { method: 'rtn' }],
    ['calibration.length 16, not 8', { calibration: { ...recipe.calibration!, length: 8 } }],
    ['calibration none, not null', { calibration: null }],
    ['model /m, not /n', { model: '/n' }],
    ['evaluations.1.source none, not x', { evaluations: [...recipe.evaluations, { source: 'x', window: 16 }] }],
  ])('%s', (words, change) => {
    const problem = preflight.checkSame(recipe, { ...recipe, ...change } as Recipe)
    expect(problem?.code).toBe('resume_mismatch')
    if (!words.startsWith('calibration none')) expect(problem?.message).toBe(`The run was begun with ${words}.`)
  })

  test('the same is fine', () => {
    expect(preflight.checkSame(recipe, structuredClone(recipe))).toBeNull()
  })
})

describe('texts', () => {
  const calibration = {
    source: 'a.txt',
    sampling: 'sequential',
    sequences: 128,
    length: 2048,
    seed: 0,
    join: 'raw',
  } as const
  const papers = (window: number) => ({ window, protocol: 'papers' }) as const
  const llama = (window: number) => ({ window, protocol: 'llama.cpp' }) as const
  test('enough tokens', () => {
    expect(preflight.checkCalibration(128 * 2048, calibration)).toBeNull()
    expect(preflight.checkCalibration(2049, { ...calibration, sampling: 'random' })).toBeNull()
    expect(preflight.checkEvaluation('a.txt', 256, papers(256))).toBeNull()
    expect(preflight.checkEvaluation('a.txt', 512, llama(256))).toBeNull()
    expect(preflight.checkContext('A window', 256, 256)).toBeNull()
  })
  test('too few, with what would fit', () => {
    expect(said(preflight.checkCalibration(11_927, calibration))).toBe(
      'calibration_too_short: a.txt has 11,927 tokens, and 128 sequences of 2,048 tokens need 262,144: 5 sequences would fit.',
    )
    expect(said(preflight.checkCalibration(2048, { ...calibration, sampling: 'random' }))).toBe(
      'calibration_too_short: a.txt has 2,048 tokens, and random windows of 2,048 tokens need 2,049: a length of 2,047 would fit.',
    )
    expect(said(preflight.checkCalibration(3000, calibration))).toContain(': one sequence would fit.')
    expect(said(preflight.checkCalibration(100, calibration))).toContain('one sequence of 100 would fit')
    expect(said(preflight.checkCalibration(1, calibration))).toContain('give a longer text')
    expect(said(preflight.checkEvaluation('e.txt', 200, papers(256)))).toBe(
      'evaluation_too_short: e.txt has 200 tokens, and one window needs 256: a window of 200 would fit.',
    )
    expect(said(preflight.checkEvaluation('e.txt', 511, llama(256)))).toBe(
      'evaluation_too_short: e.txt has 511 tokens, and llama.cpp needs two windows, 512: a window of 255 would fit.',
    )
    expect(said(preflight.checkEvaluation('e.txt', 5, llama(256)))).toContain('give a longer text')
    expect(said(preflight.checkEvaluation('e.txt', 500, llama(2)))).toBe(
      'recipe_invalid: A window of the protocol llama.cpp has at least 3 tokens, not 2.',
    )
  })
  test('longer than the model can look', () => {
    expect(said(preflight.checkContext('A window', 512, 256))).toBe(
      "context_too_long: A window of 512 tokens is longer than the model's context of 256.",
    )
  })
})

describe('the machine', () => {
  const linear = (kind: string, rows: number, columns: number) => ({ name: kind, layer: 0, kind, rows, columns })
  const model = {
    hidden: 4096,
    intermediate: 11_008,
    linears: [
      ...['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((kind) => linear(kind, 4096, 4096)),
      linear('gate_proj', 11_008, 4096),
      linear('up_proj', 11_008, 4096),
      linear('down_proj', 4096, 11_008),
    ],
  } as Model
  const sampling = { sequences: 128, length: 2048 }

  test('says what is needed and what is there', () => {
    expect(said(preflight.checkDisk('/o', 3_000_000_000, 1_500_000_000))).toBe(
      'disk_full: The run needs about 3.00 GB of disk for /o, and 1.50 GB are free.',
    )
    expect(said(preflight.checkMemory(3e9, 2e9, 'quantize'))).toBe(
      'memory_short: The run needs about 3.00 GB of memory, and 2.00 GB are available: fewer or shorter sequences need less.',
    )
    expect(said(preflight.checkMemory(3e9, 2e9, 'evaluate'))).toContain(
      'a shorter evaluation text, or none, needs less.',
    )
    expect(preflight.checkDisk('/o', 5, 5) ?? preflight.checkMemory(5, 5, 'quantize')).toBeNull()
  })

  test('a measurement needs both heads, and the outputs of both models for every token', () => {
    const wide = { ...model, vocabulary: 256_000 }
    const [short, long] = [10_000, 300_000].map((tokens) => evaluationMemoryNeeded(wide, 2048, tokens))
    expect(short).toBeGreaterThan(2 * 256_000 * 4096 * 4)
    expect(long! - short!).toBe(2 * 290_000 * 4096 * 4)
    // With a small vocabulary the largest moment is a layer.
    expect(evaluationMemoryNeeded({ ...model, vocabulary: 100 }, 2048, 0)).toBeGreaterThan(4 * 202e6)
  })

  test('a measurement on a card needs a layer and, where they may lie there, the outputs', () => {
    const onCard = (tokens: number) => evaluationBesideCard(model, 2048, tokens, 4e9)
    expect(onCard(300_000)).toBeLessThan(onCard(200_000))
    expect(onCard(200_000)).toBeGreaterThan(2 * 200_000 * 4096 * 4)
    expect(onCard(300_000)).toBeLessThan(evaluationMemoryNeeded({ ...model, vocabulary: 32_000 }, 2048, 300_000))
  })

  test('memory does not grow with the sequences beyond the limit; disk does then', () => {
    const limit = 8 * 2 ** 30
    const [small, large] = [128, 12_800].map((sequences) => memoryNeeded(model, { ...sampling, sequences }, limit))
    expect(large).toBeLessThan(small!)
    expect(memoryNeeded(model, null, limit)).toBeLessThan(1.5e9)
    expect(activationsInFile(model, { ...sampling, sequences: 12_800 }, limit)).toBe(true)
    expect(activationsInFile(model, sampling, limit)).toBe(false)
    expect(diskNeeded(model, 1e9, { ...sampling, sequences: 12_800 }, true, 0)).toBeGreaterThan(400e9)
    expect(diskNeeded(model, 1e9, null, false, 1000)).toBe(1e9 + 4000 + 16 * 2 ** 20)
    const diagonals = model.linears.reduce((total, { columns }) => total + 4 * columns, 0)
    expect(diagonals).toBeGreaterThan(0)
    expect(diskNeeded(model, 1e9, sampling, false, 1000)).toBe(1e9 + diagonals + 4000 + 16 * 2 ** 20)
  })

  test('activations may take a quarter of the memory, within reason', () => {
    expect(activationLimit(16 * 2 ** 30)).toBe(4 * 2 ** 30)
    expect(activationLimit(2 ** 20)).toBe(256 * 2 ** 20)
    expect(activationLimit(2 ** 40)).toBe(8 * 2 ** 30)
  })
})
