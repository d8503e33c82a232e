import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { PlanAnswer } from '../contract/plan.ts'
import type { Recipe } from '../contract/recipe.ts'
import { openWorkbench } from '../workbench.ts'
import { commandLine } from './command-line.ts'
import { ProgressLine } from './progress.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const worker = path.join(import.meta.dirname, '..', 'worker', 'testing', 'fake-worker.mjs')
let folder = ''
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => void delete process.env['SIGNUM_FAKE'])

async function signum(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const workbench = await openWorkbench(root, { worker: { ok: true, value: worker } })
  let [out, err] = ['', '']
  const say = (text: string) => void (err += text)
  const progress = new ProgressLine({ write: say, terminal: false, columns: () => 80, now: () => 0 })
  const terminal = { out: (text: string) => void (out += text), err: say, progress }
  const data = ['--data', path.join(folder, 'data')]
  try {
    return { code: await commandLine([...argv, ...data], { workbench, terminal, signals: () => ({}) }), out, err }
  } finally {
    await workbench.close()
  }
}
const calibration = ['--calibration', 'bundled:calibration-stories', '--sequences', '8', '--length', '64']
const plan = (...argv: string[]) => signum('plan', model, ...calibration, ...argv)
const answer = async (...argv: string[]) => JSON.parse((await plan(...argv, '--json')).out) as PlanAnswer

test('a plan: a row for every linear, the sums, the file that keeps what was measured', async () => {
  const { code, out } = await plan('--budget', '2.25bpw')
  expect(code).toBe(0)
  expect(out.split('\n').filter((line) => line.startsWith('| model.layers.'))).toHaveLength(8)
  expect(out).toMatch(/^size {9}2\.2\d linear bits per weight, .* of files$/m)
  expect(out).toMatch(/^all alike {4}\d+\.\d\d with signum-rc .*, 2\.\d\d linear bits$/m)
  const [kept] = await readdir(path.join(folder, 'data', 'measurements'))
  expect(out).toContain(path.join(folder, 'data', 'measurements', kept!))
})

test('measured once, until another text, other candidates, or --again', async () => {
  const first = await answer('--budget', '2bpw')
  expect((await answer('--budget', '1.5bpw')).measured).toEqual(first.measured)
  expect((await answer('--budget', '2bpw', '--seed', '1')).file).not.toBe(first.file)
  const others = ['--candidate', 'rtn:bits=2', '--candidate', 'fdb:group=32']
  const other = await answer('--budget', '3bpw', ...others)
  expect(other.measured.candidates.map(({ method }) => method)).toEqual(['rtn', 'fdb'])
  expect(other.file).not.toBe(first.file)
  const again = await answer('--budget', '2bpw', '--again')
  expect(again.file).toBe(first.file)
  expect(again.measured.measured_at).toBeGreaterThan(first.measured.measured_at)
  await rm(first.file!)
  expect((await answer('--budget', '2bpw')).measured.measured_at).toBeGreaterThan(again.measured.measured_at)
})

test('the recipe is an ordinary one, and a run of it is asked for by --method mixed too', async () => {
  const saved = path.join(folder, 'mixed.json')
  const { recipe } = await answer('--budget', '4bpw', '--keep', 'layers.0.*o_proj', '--save-recipe', saved)
  expect(JSON.parse(await readFile(saved, 'utf8'))).toEqual(recipe)
  expect(recipe.overrides[0]).toEqual({ match: 'layers.0.*o_proj', keep: true })
  const out = path.join(folder, 'run')
  const asked = ['--keep', 'layers.0.*o_proj', '--budget', '4bpw', ...calibration, '--no-evaluation']
  const run = await signum('quantize', model, '--method', 'mixed', ...asked, '--out', out)
  expect(run).toMatchObject({ code: 0 })
  expect(run.err).toContain(`note: budget: ${recipe.overrides.length + 1} recipes for `)
  const its = JSON.parse(await readFile(path.join(out, 'recipe.json'), 'utf8')) as Recipe
  expect(its.method).toBe(recipe.method)
  expect(its.overrides.map(({ match }) => match)).toEqual(recipe.overrides.map(({ match }) => match))
})

test.each([
  [['--budget', '0.5bpw'], 2, 'budget_too_small: The least that these candidates can reach on this model is 1.'],
  [[], 2, 'option_invalid: Mixed recipes are made for a size: give --budget'],
  [['--budget', '2'], 2, 'option_invalid: --budget must be bits per weight or bytes'],
  [['--budget', '2bpw', '--candidate', 'gpq'], 2, "method_unknown: There is no method 'gpq'"],
  [['--budget', '2bpw', '--candidate', 'gptq:bits=9'], 2, 'recipe_invalid: '],
  [
    ['--budget', '2bpw', '--candidate', 'rtn', '--candidate', 'rtn'],
    2,
    'recipe_invalid: The candidate rtn is there twice.',
  ],
  [
    ['--budget', '2bpw', '--override', 'q_proj=:refits=2'],
    2,
    "recipe_invalid: The override 'q_proj' must name its method",
  ],
  [['--budget', '2bpw', '--keep', 'nothing'], 2, "recipe_invalid: The override 'nothing' matches no linear"],
])('plan %j is refused', async (argv, code, words) => {
  const { code: its, err } = await plan(...argv)
  expect(err).toContain(words)
  expect(its).toBe(code)
})

test.each([
  [['--method', 'mixed', ...calibration], 'Mixed recipes are made for a size'],
  [['--method', 'mixed', '--budget', '2bpw'], 'calibration_missing: Candidates are measured with a calibration text'],
  [['--method', 'mixed', '--budget', '2bpw', '--set', 'bits=2'], '--set does not go with --method mixed'],
  [['--method', 'rtn', '--candidate', 'rtn'], '--candidate goes with --method mixed only.'],
])('quantize %j is refused', async (argv, words) => {
  const { code, err } = await signum('quantize', model, ...argv, '--out', path.join(folder, 'no'))
  expect(err).toContain(words)
  expect(code).toBe(2)
})

test('a worker that fails, or leaves linears out, leaves nothing behind', async () => {
  for (const [manner, words] of [
    ['fail', 'factor_failed'],
    ['forgetful', 'worker_crashed: The worker finished without measuring every linear.'],
  ] as const) {
    process.env['SIGNUM_FAKE'] = manner
    const before = await readdir(path.join(folder, 'data', 'measurements'))
    const { code, err } = await plan('--budget', '2bpw', '--seed', '9')
    expect(code).toBe(1)
    expect(err).toContain(words)
    expect(await readdir(path.join(folder, 'data', 'measurements'))).toEqual(before)
  }
})
