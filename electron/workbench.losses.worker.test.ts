// Losses of single tokens of real runs of the demo model, against the runs' own reports.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ending } from './contract/api.ts'
import { parseRecipe } from './contract/recipe.ts'
import { notPredicted } from './contract/token-losses.ts'
import { runFiles } from './runs/folder.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

const root = path.resolve(import.meta.dirname, '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')

let data = ''
let bench: Workbench
let runs: number[] = []

function value<T>(ending: Ending<T>): T {
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  return ending.value
}

async function quantize(bits: number, evaluations: object[]): Promise<void> {
  const recipe = parseRecipe({ signum_recipe: 1, method: 'rtn', parameters: { bits }, evaluations }, 'test')
  if (!recipe.ok) throw new Error(recipe.problem.message)
  value(await bench.quantize({ model, recipe: recipe.value, out: path.join(data, `run-${bits}`) }))
}

beforeAll(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  bench = (await openWorkbench(root)).at(data)
  const papers = { source: 'bundled:evaluation-tales', window: 64 }
  const both = [papers, { source: 'bundled:evaluation-tales', window: 64, protocol: 'llama.cpp' }]
  await quantize(2, both)
  await quantize(3, [papers])
  await quantize(4, [])
  runs = value(await bench.runs({}))
    .map(({ id }) => id)
    .toReversed()
})
afterAll(async () => {
  await bench.close()
  await rm(data, { recursive: true })
})

test('totals are those of the report, the pieces are the text', async () => {
  const report = value(await bench.report({ id: runs[0]! }))
  for (const [place, measured] of report.perplexity.entries()) {
    const answer = value(await bench.tokenLosses({ id: runs[0]!, text: place, from: 0, count: 200, worst: 5 }))
    const { totals, window, windows, unpredicted, positions } = answer
    expect([windows, window, positions]).toEqual([measured.packed.windows, 64, windows * 64])
    expect(totals.tokens).toBe(measured.packed.tokens)
    expect(Math.exp(totals.loss)).toBeCloseTo(measured.packed.value!, 2)
    expect(Math.exp(totals.other_loss)).toBeCloseTo(measured.original.value!, 2)
    expect(totals.kld).toBeCloseTo(measured.comparison!.kld.mean.value!, 4)
    expect(totals.same_top).toBeCloseTo(measured.comparison!.same_top.value!, 4)
    expect(answer.losses).toHaveLength(200)
    expect(answer.pieces).toHaveLength(200)
    const silent = [...answer.losses].flatMap((loss, k) => (Number.isNaN(loss) ? [k] : []))
    expect(silent).toEqual(Array.from({ length: 200 }, (_, k) => k).filter((k) => k % 64 < unpredicted))
    expect([...answer.same_top!].filter((same) => same === notPredicted)).toHaveLength(silent.length)
    const [worst] = answer.worst
    expect(worst!.loss - worst!.other_loss).toBeGreaterThanOrEqual(
      answer.worst.at(-1)!.loss - answer.worst.at(-1)!.other_loss,
    )
    expect(answer.worst_windows).toHaveLength(5)
    // The same numbers where the worst token stands.
    const there = value(
      await bench.tokenLosses({ id: runs[0]!, text: place, from: worst!.position, count: 1, worst: 0 }),
    )
    expect(there.losses[0]).toBe(worst!.loss)
    expect(there.tokens[0]).toBe(worst!.token)
    expect(there.pieces[0]).toBe(worst!.text)
  }
  const text = value(await bench.text({ source: 'bundled:evaluation-tales' })).beginning
  const begin = value(await bench.tokenLosses({ id: runs[0]!, text: 0, from: 0, count: 40 }))
  expect(begin.pieces.join('').trim().length).toBeGreaterThan(40)
  expect(text.startsWith(begin.pieces.join('').trim())).toBe(true)
})

test('two runs on the same text, one held against the other', async () => {
  const [two, three] = runs as [number, number]
  const ask = (id: number, against: number | null) => bench.tokenLosses({ id, text: 0, against, from: 100, count: 50 })
  const [a, b, both] = (await Promise.all([ask(two, null), ask(three, null), ask(two, three)])).map(value)
  expect(both!.losses).toEqual(a!.losses)
  expect(both!.other_losses).toEqual(b!.losses)
  expect([both!.kld, both!.same_top, both!.totals.kld]).toEqual([null, null, null])
  expect(both!.totals.other_loss).toBe(b!.totals.loss)
  expect(a!.pieces).toEqual(b!.pieces)
})

test('what is not there is said with a code', async () => {
  const [two, three, four] = runs as [number, number, number]
  const code = async (request: object) => {
    const ending = await bench.tokenLosses({ id: two, text: 0, from: 0, count: 1, ...request })
    return ending.kind === 'failed' ? ending.problem.code : ending.kind
  }
  expect(await code({ id: four })).toBe('losses_missing')
  expect(await code({ text: 2 })).toBe('losses_missing')
  expect(await code({ id: 99 })).toBe('run_unknown')
  expect(await code({ text: 1, against: three })).toBe('texts_differ')
  expect(await code({ against: four })).toBe('texts_differ')
  const beyond = value(await bench.tokenLosses({ id: two, text: 0, from: 10 ** 9, count: 5 }))
  expect(beyond.losses).toHaveLength(0)
  await rm(runFiles(path.join(data, 'run-3')).targets(0))
  expect(await code({ id: three })).toBe('losses_missing')
})
