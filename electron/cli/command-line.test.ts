// The command line from words to exit code, with a worker that only pretends.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openWorkbench } from '../workbench.ts'
import { commandLine, commands } from './command-line.ts'
import { ProgressLine } from './progress.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const worker = path.join(import.meta.dirname, '..', 'worker', 'testing', 'fake-worker.mjs')
let folder = ''
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => void vi.unstubAllEnvs())

type Played = { code: number; out: string; err: string }

async function signum(argv: string[], manners = '', signals = {}): Promise<Played> {
  vi.stubEnv('SIGNUM_FAKE', manners)
  const workbench = await openWorkbench(root, { worker: { ok: true, value: worker } })
  let [out, err] = ['', '']
  const progress = new ProgressLine({
    write: (text) => (err += text),
    terminal: false,
    columns: () => 80,
    now: () => 0,
  })
  const terminal = { out: (text: string) => void (out += text), err: (text: string) => void (err += text), progress }
  const code = await commandLine(argv, { workbench, terminal, signals: () => signals })
  return { code, out, err }
}
const json = ({ out }: Played) => JSON.parse(out) as Record<string, never>
const place = (name: string) => path.join(folder, name)
const calibration = ['--calibration', 'bundled:calibration-stories', '--sequences', '32', '--length', '256']

describe('help', () => {
  test.each([[[]], [['--help']], [['help']]])('%j gives the overview', async (argv) => {
    const { code, out } = await signum(argv)
    expect(code).toBe(0)
    for (const { spec } of commands) expect(out.replaceAll(/\s+/g, ' ')).toContain(spec.summary)
    expect(out).toContain('130')
  })

  test('of a command by either way, and of a method', async () => {
    const page = await signum(['help', 'quantize'])
    expect(page.out).toContain('--calibration FILE')
    expect(await signum(['quantize', '--help'])).toEqual(page)
    expect((await signum(['help', 'arb-rc'])).out).toContain('column_group_bitmap')
    expect(json(await signum(['help', 'arb-rc', '--json']))).toMatchObject({ id: 'arb-rc' })
    expect((await signum(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('mistakes end with exit code 2 and the nearest name', () => {
  test.each([
    ['quantise x', "command_unknown: There is no command 'quantise'; did you mean quantize?"],
    ['help quantise', 'did you mean quantize?'],
    ['quantize x --methd rtn', 'option_unknown: signum quantize has no option --methd; did you mean --method?'],
    ['quantize x --out y', 'option_invalid: Say how: --method M'],
    ['quantize x --method rtm --out y', "method_unknown: There is no method 'rtm'; did you mean rtn?"],
    ['quantize x --method rtn --set bit=3 --out y', "recipe_invalid: rtn has no parameter 'bit'; did you mean bits?"],
    ['quantize x --method rtn --set bits=9 --out y', 'recipe_invalid: bits must be a whole number from 1 to 8'],
    ['quantize --method rtn --out y', 'option_invalid: signum quantize needs MODEL'],
    ['quantize x --method rtn', 'option_invalid: Say where the run goes: --out DIR'],
    ['quantize x --method gptq --sequences 3 --out y', '--sequences says how to sample a calibration text'],
    [
      'quantize x --method gptq --calibration t --sampling randm --out y',
      '--sampling must be sequential or random or documents',
    ],
    ['quantize x --method rtn --no-evaluation --window 3 --out y', '--no-evaluation cannot be given together'],
    ['quantize x --method rtn --evaluation-join comma --out y', '--evaluation-join must be raw or space or blank-line'],
    ['quantize x --method gptq --calibration-join space --out y', '--calibration-join says how to sample'],
    ['quantize x --method rtn --protocol llama --out y', "--protocol must be papers or llama.cpp, not 'llama'."],
    ['quantize x --method rtn --budget 2bits --out y', '--budget must be bits per weight or bytes, such as 1.7bpw'],
    ['quantize x --method rtn --budget 0bpw --out y', '--budget must be bits per weight or bytes, such as 1.7bpw'],
    [
      'quantize --budget 2bpw --resume --out y',
      'A run that is resumed has its parameters: leave out --budget and --method mixed.',
    ],
    ['quantize --method rtn --budget 2bpw --save-recipe y', 'option_invalid: signum quantize needs MODEL'],
    ['quantize x --method rtn --threads many --out y', '--threads must be a whole number from 0 to 4096'],
    ['evaluate x', 'option_invalid: Give either --text FILE'],
    ['evaluate x --text a --tokens b.u32', 'option_invalid: Give either --text FILE'],
    ['evaluate x --tokens b.bin', "option_invalid: A token file's name ends in .u32"],
    ['layer x.safetensors --method rtn', 'option_invalid: Say where the result goes'],
    ['models', 'option_invalid: signum models needs DIR'],
  ])('%s', async (words, message) => {
    const { code, out, err } = await signum(words.split(' '))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
  })

  test('with --json the mistake is the document', async () => {
    const played = await signum(['quantize', 'x', '--json', '--methd', 'rtn'])
    expect(played.code).toBe(2)
    expect(json(played)).toMatchObject({ error: { code: 'option_unknown' } })
  })
})

describe('quantize', () => {
  test('says what came out', async () => {
    const { code, out } = await signum(['quantize', model, '--method', 'gptq', ...calibration, '--out', place('a')])
    expect(code).toBe(0)
    expect(out).toContain('bits         2.00 nominal, 2.10 linear, 4.50 file')
    expect(out).toContain(
      'perplexity   40.00 ± 1.50, original 30.00 ± 1.50 (bundled:evaluation-stories, protocol papers',
    )
    expect(out).toContain('KLD          0.2500 ± 0.0100 mean, 0.2500 median')
    expect(out).toContain('same top     80.00 % ± 1.00 %')
    expect(out).toContain(place('a/packed'))
  })

  test('--json is the report, and nothing else', async () => {
    const played = await signum([
      'quantize',
      model,
      '--method',
      'rtn',
      '--no-evaluation',
      '--out',
      place('b'),
      '--json',
    ])
    expect(json(played)).toEqual(JSON.parse(await readFile(place('b/report.json'), 'utf8')))
    expect(json(played)).toMatchObject({ calibration: null, perplexity: [] })
  })

  test('a failure before the work has exit code 1 and leaves nothing', async () => {
    const argv = [
      'quantize',
      model,
      '--method',
      'gptq',
      '--calibration',
      'bundled:calibration-stories',
      '--out',
      place('c'),
    ]
    const { code, err } = await signum(argv)
    expect(code).toBe(1)
    expect(err).toContain('calibration_too_short: bundled:calibration-stories has 11,927 tokens')
    expect(existsSync(place('c'))).toBe(false)
  })

  test('a stop has exit code 3, a cancel 4, and both say how to go on', async () => {
    const argv = ['quantize', model, '--method', 'rtn', '--out', place('d')]
    const stopped = await signum(argv, 'slow', { stop: AbortSignal.abort() })
    expect(stopped).toMatchObject({ code: 3 })
    expect(stopped.out).toContain(
      `Stopped after 1 of 2 layers. Go on with: signum quantize --resume --out ${place('d')}`,
    )
    const cancelled = await signum([...argv, '--resume', '--json'], '', { cancel: AbortSignal.abort() })
    expect(cancelled.code).toBe(4)
    expect(json(cancelled)).toEqual({ cancelled: true })
    expect((await signum(['quantize', '--resume', '--out', place('d')])).code).toBe(0)
  })

  test('a crash of the worker has exit code 1 and its last words', async () => {
    const { code, err } = await signum(['quantize', model, '--method', 'rtn', '--out', place('e')], 'crash')
    expect(code).toBe(1)
    expect(err).toContain('worker_crashed: The worker ended by SIGSEGV without saying why.')
    expect(err).toContain('about to crash')
  })
})

describe('recipes', () => {
  test('a saved recipe does the same again, from wherever it lies', async () => {
    const tokens = path.join(root, 'electron', 'models', 'testdata', 'signum-stories-4m.calibration.u32')
    const sampling = ['--sampling', 'random', '--sequences', '3', '--length', '64', '--seed', '7']
    const argv = ['quantize', model, '--method', 'billm', '--set', 'blocksize=64', '--calibration', tokens, ...sampling]
    const saved = await signum([...argv, '--window', '128', '--save-recipe', place('billm.json')])
    expect(saved).toMatchObject({ code: 0, out: `The recipe is in ${place('billm.json')}.\n` })
    const text = await readFile(place('billm.json'), 'utf8')
    expect(text).not.toContain('"model"')
    expect((JSON.parse(text) as { calibration: { source: string } }).calibration.source).toBe(
      path.relative(folder, tokens),
    )

    const again = await signum(['quantize', model, '--recipe', place('billm.json'), '--out', place('f'), '--json'])
    expect(json(again)).toMatchObject({
      recipe: {
        method: 'billm',
        parameters: { blocksize: 64, max_salient: 50 },
        calibration: { source: tokens, sampling: 'random', sequences: 3, length: 64, seed: 7 },
        evaluations: [{ source: 'bundled:evaluation-stories', window: 128 }],
      },
    })
    const changed = [
      '--set',
      'blocksize=32',
      '--set',
      'max_salient=20',
      '--no-evaluation',
      '--sequences',
      '2',
      '--out',
      place('g'),
    ]
    expect(json(await signum(['quantize', '--recipe', place('f/recipe.json'), ...changed, '--json']))).toMatchObject({
      recipe: { model, parameters: { blocksize: 32 }, calibration: { sequences: 2, seed: 7 }, evaluations: [] },
    })
  })

  test('a preset changes what a recipe says, --set changes the preset, and an unknown one is refused', async () => {
    const recipe = { signum_recipe: 1, method: 'arb-x', parameters: { iterations: 9, scale_type: 'f32', splits: 2 } }
    await writeFile(place('x.json'), JSON.stringify(recipe))
    const argv = ['quantize', '--recipe', place('x.json'), '--preset', 'fast', '--set', 'max_salient=20']
    expect(await signum([...argv, '--save-recipe', place('y.json')])).toMatchObject({ code: 0 })
    expect(JSON.parse(await readFile(place('y.json'), 'utf8'))).toMatchObject({
      parameters: { iterations: 3, scale_type: 'f32', splits: 1, max_salient: 20 },
    })
    const refused = await signum(['quantize', model, '--method', 'billm', '--preset', 'fast', '--out', place('n')])
    expect(refused.code).toBe(2)
    expect(refused.err).toContain("option_invalid: billm has no preset 'fast'. Presets: paper.")
  })

  test('a recipe that is none is refused', async () => {
    await writeFile(place('bad.json'), '{"signum_recipe":1,"method":"rtn","parameters":{"bits":2},"extra":1}')
    const { code, err } = await signum(['quantize', model, '--recipe', place('bad.json'), '--out', place('h')])
    expect(code).toBe(2)
    expect(err).toContain("a recipe has no key 'extra'")
    const none = await signum(['quantize', model, '--recipe', place('none.json'), '--out', place('h')])
    expect(none.err).toContain('recipe_invalid: The recipe')
    const other = ['quantize', model, '--method', 'gptq', '--recipe', place('billm.json'), '--out', place('h')]
    expect((await signum(other)).err).toContain('is a recipe for billm, and --method says gptq')
  })
})

test('evaluate, layer, models, doctor', async () => {
  const evaluated = await signum(['evaluate', model, '--text', 'bundled:evaluation-stories', '--window', '128'])
  expect(evaluated.out).toContain(
    'perplexity 30.00 ± 1.50 (bundled:evaluation-stories, protocol papers, 26 windows of 128',
  )
  const beside = ['evaluate', model, '--text', 'bundled:evaluation-stories', '--against', model, '--protocol']
  const { out } = await signum([...beside, 'llama.cpp'])
  expect(out).toContain('(bundled:evaluation-stories, protocol llama.cpp, 13 windows of 256, 1651 targets), 0.1 s')
  expect(out).toContain(`perplexity 30.00 ± 1.50 of ${model}, 0.1 s`)
  expect(out).toContain('KLD           0.2500 ± 0.0100 mean, 0.2500 median')
  expect(out).toContain('delta p       -5.00 % ± 1.00 % mean, 10.00 % ± 1.00 % RMS')
  expect((await signum([...beside, 'paper'])).err).toContain("--protocol must be papers or llama.cpp, not 'paper'.")
  const weights = path.join(model, 'model.safetensors')
  const layer = await signum(['layer', weights, '--method', 'rtn', '--out', place('out.safetensors')])
  expect(layer.out).toContain('256 x 256: 2.00 bits nominal, 2.10 stored')
  expect((await signum(['models', path.join(root, 'resources')])).out).toContain('LlamaForCausalLM')
  expect((await signum(['models', folder, '--json'])).out).toContain('packed')
  const doctor = await signum(['doctor'])
  expect(doctor.out).toContain('FAKE')
})

describe('export', () => {
  test("writes a model, or a run's packed one, and says what is otherwise in the file", async () => {
    const written = await signum(['export', model, '--out', place('a.gguf')])
    const lines = [
      `${place('a.gguf')}: 14.7 MB, 38 tensors, architecture llama`,
      '  F32       38 tensors, all as the model decodes them',
      'verified: 3,600,000 numbers read back, all as the model decodes them',
      `sha256 ${'5'.repeat(64)}  a.gguf`,
    ]
    expect(written).toMatchObject({ code: 0, out: `${lines.join('\n')}\n` })
    expect(written.err).toContain('The file is made of signum-stories-4m.')
    await mkdir(place('a-run/packed'), { recursive: true })
    await writeFile(place('a-run/recipe.json'), '{}')
    const packed = ['export', place('a-run'), '--format', 'gguf', '--type', 'f32', '--out', place('b.gguf'), '--json']
    expect(json(await signum(packed))).toMatchObject({ model: place('a-run/packed'), architecture: 'llama' })
  })

  test('a file that is there is kept, and what it cannot write is refused', async () => {
    await writeFile(place('mine.gguf'), 'kept')
    const there = await signum(['export', model, '--out', place('mine.gguf')])
    expect(there).toMatchObject({ code: 2, err: expect.stringContaining('--overwrite') as string })
    expect(await readFile(place('mine.gguf'), 'utf8')).toBe('kept')
    expect((await signum(['export', model, '--out', place('mine.gguf'), '--overwrite'])).code).toBe(0)
    expect((await signum(['export', model, '--out', folder, '--overwrite'])).err).toContain('is a folder')
    const shards = ['export', model, '--out', place('c.gguf'), '--shard-size']
    expect((await signum([...shards, '5GB'])).err).toContain('gguf is one file')
    expect((await signum([...shards, 'five'])).err).toContain("not 'five'")
    expect((await signum(['export', model])).err).toContain('--out FILE.gguf')
    expect((await signum(['export', model, '--type', 'q4', '--out', place('c.gguf')])).err).toContain(
      '--type must be f32',
    )
  })
})

test('a cancelled evaluation leaves nothing: exit code 130', async () => {
  const argv = ['evaluate', model, '--text', 'bundled:evaluation-stories']
  expect((await signum(argv, '', { cancel: AbortSignal.abort() })).code).toBe(130)
})

test('the demo prints its table, and leaves an earlier one as it is', async () => {
  await mkdir(place('demo/1'), { recursive: true })
  await writeFile(place('demo/mine.txt'), 'kept')
  const played = await signum(['demo', '--out', place('demo')])
  expect(played.code).toBe(0)
  const lines = played.out.split('\n').filter((line) => line.startsWith('| '))
  expect(lines).toHaveLength(1 + 13)
  expect(lines[1]).toMatch(/^\| original \(F16\) +\| +16.00 \| +16.00 \|/)
  expect(lines[1]).toContain('30.00 ± 1.50 | ')
  expect(await readFile(place('demo/2/table.md'), 'utf8')).toBe(played.out.slice(0, played.out.indexOf('\n\n') + 1))
  expect((await readdir(place('demo'))).toSorted()).toEqual(['1', '2', 'mine.txt'])
})
