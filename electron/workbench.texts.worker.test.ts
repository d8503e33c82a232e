// Texts from the real worker: the bundled model and a packed one, whose tokens the whole tokenizer agrees with.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TextNews } from './contract/generation.ts'
import { openTokenizer } from './models/tokenizer.ts'
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

async function write(changes: object) {
  const tokens: number[] = []
  const onText = (news: TextNews) => {
    if (news.kind === 'pieces') tokens.push(...news.pieces.map(({ id }) => id))
  }
  const request = { model, prompt: 'Once upon a time', max_tokens: 40, threads: 1, ...changes }
  const ending = await workbench.generate(request, { onText })
  if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
  return { ...ending.value, ids: tokens }
}

test('the text is that of its tokens; the same seed writes it again, another one does not', async () => {
  const first = await write({ seed: 7 })
  expect(first).toMatchObject({ tokens: 40, reason: 'length', packed: false, context: 256 })
  const tokenizer = await openTokenizer(model)
  if (!tokenizer.ok) throw new Error(tokenizer.problem.code)
  const prompt = tokenizer.value.encode('Once upon a time')
  const all = tokenizer.value.decode([...(prompt.ok ? prompt.value : []), ...first.ids])
  expect(`Once upon a time${first.text}`).toBe(all)
  const again = await write({ seed: 7 })
  expect(again.ids).toEqual(first.ids)
  expect(again).toMatchObject({ open_seconds: null, reused_tokens: first.prompt_tokens - 1 })
  expect((await write({ seed: 8 })).ids).not.toEqual(first.ids)
})

test('a text without a prompt begins like one; a stop text ends it; the context is its end', async () => {
  const whole = await write({ prompt: '', temperature: 0, max_tokens: 60 })
  expect(whole.prompt_tokens).toBe(1)
  expect(whole.text).toMatch(/^[A-Z]/)
  const [first] = whole.text.split('.')
  const stopped = await write({ prompt: '', temperature: 0, max_tokens: 60, stop: ['.'] })
  expect(stopped).toMatchObject({ text: first, reason: 'stop' })
  const full = await write({ context: 16, max_tokens: 1000, temperature: 0 })
  expect(full).toMatchObject({ context: 16 })
  expect(['context', 'stop']).toContain(full.reason)
})

test("a run's packed model writes too, and leaves when its folder is deleted", async () => {
  const out = path.join(folder, 'run')
  const recipe = {
    signum_recipe: 1 as const,
    method: 'rtn' as const,
    parameters: { bits: 8 },
    calibration: null,
    evaluations: [],
  }
  const made = await workbench.quantize({ model, recipe, out })
  expect(made.kind).toBe('finished')
  const packed = await write({ model: out, temperature: 0 })
  expect(packed).toMatchObject({ packed: true, tokens: 40 })
  // Eight bits are near enough for the first words.
  expect(packed.text.slice(0, 12)).toBe((await write({ temperature: 0 })).text.slice(0, 12))
  const runs = await workbench.runs({})
  const id = runs.kind === 'finished' ? runs.value[0]!.id : 0
  expect(await workbench.deleteRun({ id })).toMatchObject({ kind: 'finished' })
  expect(await workbench.generate({ model: out, prompt: 'a' })).toMatchObject({ kind: 'failed' })
})
