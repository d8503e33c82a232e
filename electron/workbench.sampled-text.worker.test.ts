// The windows that are shown before a run are those that the run's own files hold.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Calibration } from './contract/recipe.ts'
import { openTokenizer } from './models/tokenizer.ts'
import { windowStarts } from './models/windows.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

const root = path.resolve(import.meta.dirname, '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
let folder = ''
let workbench: Workbench
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  workbench = (await openWorkbench(root)).at(path.join(folder, 'data'))
})
afterAll(async () => {
  await workbench.close()
  await rm(folder, { recursive: true })
})

const stories = path.join(import.meta.dirname, 'models', 'testdata', 'documents.jsonl')
const bundled = { source: 'bundled:calibration-stories', sequences: 6, length: 48, seed: 5, join: 'raw' } as const
const cases: Calibration[] = [
  { ...bundled, sampling: 'sequential' },
  { ...bundled, sampling: 'random' },
  { ...bundled, sampling: 'documents', source: stories, length: 16 },
]

test.each(cases)('$sampling', async (calibration) => {
  const out = path.join(folder, calibration.sampling)
  const recipe = { signum_recipe: 1, method: 'rtn', calibration } as const
  const ran = await workbench.quantize({ model, recipe, out })
  if (ran.kind !== 'finished') throw new Error(JSON.stringify(ran))
  const bytes = await readFile(path.join(out, 'calibration.u32'))
  const all = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i))
  const tokenizer = await openTokenizer(model)
  if (!tokenizer.ok) throw new Error(tokenizer.problem.code)
  const length = calibration.length!
  const starts = windowStarts({ ...calibration, length }, all.length)
  for (const [window, start] of starts.entries()) {
    const shown = await workbench.sampledText({ model, calibration, window })
    if (shown.kind !== 'finished') throw new Error(JSON.stringify(shown))
    const ids = all.slice(start, start + length)
    expect(shown.value).toMatchObject({ windows: 6, window, length, tokens: all.length, ids })
    expect(shown.value.text).toBe(tokenizer.value.decode(ids))
    expect(shown.value.document === null).toBe(calibration.sampling !== 'documents')
    if (shown.value.document === null) expect(shown.value.start).toBe(start)
  }
  expect(await workbench.sampledText({ model, calibration, window: 99 })).toMatchObject({ value: { window: 5 } })
})

test('what keeps the run from starting is what is said', async () => {
  const calibration = { ...bundled, sampling: 'sequential', sequences: 100_000 } as const
  expect(await workbench.sampledText({ model, calibration })).toMatchObject({
    kind: 'failed',
    problem: { code: 'calibration_too_short' },
  })
  expect(await workbench.sampledText({ model, calibration: { ...calibration, source: '/none.txt' } })).toMatchObject({
    problem: { code: 'text_unreadable' },
  })
  expect(await workbench.sampledText({ model, calibration: { ...calibration, length: 4096 } })).toMatchObject({
    problem: { code: 'context_too_long' },
  })
})
