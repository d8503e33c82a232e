import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Recipe } from '../contract/recipe.ts'
import type { RunReport } from '../contract/records.ts'
import { openWorkbench } from '../workbench.ts'
import { readBudget } from './budget.ts'
import { commandLine } from './command-line.ts'
import { ProgressLine } from './progress.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const worker = path.join(import.meta.dirname, '..', 'worker', 'testing', 'fake-worker.mjs')
let folder = ''
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(folder, { recursive: true }))

async function signum(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const workbench = await openWorkbench(root, { worker: { ok: true, value: worker } })
  let [out, err] = ['', '']
  const say = (text: string) => void (err += text)
  const progress = new ProgressLine({ write: say, terminal: false, columns: () => 80, now: () => 0 })
  const terminal = { out: (text: string) => void (out += text), err: say, progress }
  return { code: await commandLine(argv, { workbench, terminal, signals: () => ({}) }), out, err }
}
const quantize = (...argv: string[]) => signum('quantize', model, '--method', ...argv)
const saved = async (name: string) => JSON.parse(await readFile(path.join(folder, name), 'utf8')) as Recipe

test.each([
  ['1.7bpw', 'linear', 1.7],
  ['2 bpw', 'linear', 2],
  ['900MB', 'file_bytes', 900e6],
  ['.5gb', 'file_bytes', 5e8],
  ['2GiB', 'file_bytes', 2 ** 31],
])('%s', (text, by, value) => {
  expect(readBudget(text)).toEqual({ ok: true, value: { by, value } })
})

test.each(['', '1.7', 'bpw', '-1bpw', '0MB', '1e3MB', '3 bits', '2TB'])('%j is no budget', (text) => {
  expect(readBudget(text)).toMatchObject({ ok: false, problem: { code: 'option_invalid' } })
})

test('the run has the largest parameters within the budget, and says which', async () => {
  const out = path.join(folder, 'a')
  const played = await quantize('rtn', '--budget', '3.1bpw', '--no-evaluation', '--out', out, '--json')
  expect(played).toMatchObject({ code: 0 })
  expect((JSON.parse(played.out) as RunReport).recipe.parameters).toMatchObject({ bits: 3, group: -1 })
  expect(played.err).toContain('note: budget: bits=3 group=-1 for 3.09 linear bits per weight, ')
})

test('a saved recipe holds what was chosen, beside what was set and what stays', async () => {
  const calibration = ['--calibration', 'bundled:calibration-stories']
  const recipe = path.join(folder, 'rc.json')
  const set = ['--set', 'scale_type=f32', '--set', 'refits=2']
  expect(
    await quantize('signum-rc', ...set, ...calibration, '--budget', '1.8bpw', '--save-recipe', recipe),
  ).toMatchObject({
    code: 0,
  })
  const { parameters } = await saved('rc.json')
  expect(parameters).toMatchObject({ scale_type: 'f32', refits: 2, order: 'hessian' })
  expect(parameters['second_plane']).toBeGreaterThan(0)
  expect(parameters['second_plane']).toBeLessThan(0.6)
  // The budget replaces what the recipe said of the same parameter.
  const again = path.join(folder, 'again.json')
  await signum('quantize', model, '--recipe', recipe, '--budget', '9bpw', '--save-recipe', again)
  expect((await saved('again.json')).parameters).toMatchObject({ second_plane: 1, third_plane: 1, refits: 2 })
})

test('narrow blocks come with fewer salient columns than usual', async () => {
  const recipe = path.join(folder, 'narrow.json')
  const calibration = ['--calibration', 'bundled:calibration-stories']
  const played = await quantize('billm', ...calibration, '--budget', '9bpw', '--save-recipe', recipe)
  expect(played.err).toMatch(/blocksize=32 for 5.\d\d linear bits per weight, .* of files, the most that it can use/)
  expect((await saved('narrow.json')).parameters).toMatchObject({ blocksize: 32, max_salient: 32 })
  expect((await quantize('billm', '--set', 'blocksize=40', ...calibration, '--save-recipe', recipe)).code).toBe(0)
})

test('where the weights decide a part of the size, the most has to fit, and both are said', async () => {
  const recipe = path.join(folder, 'arb.json')
  const calibration = ['--calibration', 'bundled:calibration-stories']
  const played = await quantize('arb', ...calibration, '--budget', '3.6bpw', '--save-recipe', recipe)
  const [, most] =
    /for about \d\.\d\d linear bits per weight, .* of files, at most (\d\.\d\d) linear/.exec(played.err) ?? []
  expect(Number(most)).toBeLessThanOrEqual(3.6)
  expect(Number(most)).toBeGreaterThan(3.5)
  const { parameters } = await saved('arb.json')
  expect(parameters['max_salient']).toBeLessThan(50)
  const set = await quantize('arb', '--set', 'max_salient=20', ...calibration, '--budget', '3.6bpw', '--out', 'x')
  expect(set.err).toContain('--budget chooses max_salient')
})

test.each([
  [['rtn', '--embedding-type', 'rtn5'], 'option_invalid: --embedding-type must be one of source, f16, rtn8, rtn4'],
  [['rtn', '--head-type', '4'], 'option_invalid: --head-type must be one of source, f16, rtn8, rtn4'],
  [['rtn', '--budget', '0.9bpw'], 'budget_too_small: The least that rtn can reach on this model is 1.09 linear bits'],
  [['arb-rc', '--budget', '1kB', '--calibration', 'x'], 'can reach on this model is about 2.'],
  [['rtn', '--budget', '3bpw', '--set', 'group=64'], 'option_invalid: --budget chooses group: leave out --set group'],
  [['rtn', '--budget', 'plenty'], 'option_invalid: --budget must be bits per weight or bytes, such as 1.7bpw'],
])('%j is refused', async (argv, message) => {
  const { code, err } = await quantize(...argv, '--out', path.join(folder, 'never'))
  expect(err).toContain(message)
  expect(code).toBe(2)
})

test('a folder without a model is refused before anything is chosen', async () => {
  const { code, err } = await signum('quantize', folder, '--method', 'rtn', '--budget', '2bpw', '--out', 'x')
  expect(err).toContain('not_a_model_folder')
  expect(code).toBe(1)
})
