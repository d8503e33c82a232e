// A run leaves the house as a packed folder and comes back as a run somewhere else.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newFolder } from './history/testing/open.ts'
import { openSafetensors } from './packed/safetensors.ts'
import { openShard } from './packed/shard.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

const root = path.resolve(import.meta.dirname, '..')
const demo = path.join(root, 'resources', 'models', 'signum-stories-4m')
const recipe = {
  signum_recipe: 1 as const,
  method: 'gptq' as const,
  parameters: { bits: 3, group: 64, order: 'hessian' },
  overrides: [
    { match: String.raw`layers\.1\.mlp\.down_proj$`, keep: true as const },
    { match: String.raw`layers\.2\.`, method: 'signum-rc' as const },
  ],
  embedding_type: 'rtn8' as const,
  head_type: 'rtn8' as const,
  calibration: { source: 'bundled:calibration-stories', sequences: 2, length: 64 },
  evaluations: [],
}

const numpy = spawnSync('python3', ['-c', 'import numpy, sys; assert sys.version_info >= (3, 9)']).status === 0

let home = ''
let here: Workbench
let run = ''
beforeAll(async () => {
  home = newFolder()
  here = (await openWorkbench(root)).at(path.join(home, 'data'))
  run = path.join(home, 'run')
  const made = await here.quantize({ model: demo, recipe, out: run })
  if (made.kind !== 'finished') throw new Error(JSON.stringify(made))
}, 120_000)
afterAll(async () => {
  await here.close()
  rmSync(home, { recursive: true, force: true })
})

const elsewhere = () => here.at(newFolder())
async function finished<T>(ending: Promise<{ kind: string; value?: T }>): Promise<T> {
  const ended = await ending
  if (ended.kind !== 'finished') throw new Error(JSON.stringify(ended))
  return ended.value as T
}

describe('a packed folder is exported', () => {
  test('file by file the same, verified, in the history; a second one is refused', async () => {
    const output = path.join(home, 'taken')
    const done = await finished(here.export({ model: run, output, format: 'packed' }))
    const packed = path.join(run, 'packed')
    expect(readdirSync(output)).toEqual(readdirSync(packed))
    for (const name of readdirSync(packed)) {
      expect(readFileSync(path.join(output, name)).equals(readFileSync(path.join(packed, name)))).toBe(true)
      expect(statSync(path.join(output, name)).ino).not.toBe(statSync(path.join(packed, name)).ino)
    }
    expect(done.files.map(({ name }) => name)).toEqual(readdirSync(packed).toSorted())
    expect(done.verification).toMatchObject({ relative_error: 0 })
    expect((await finished(here.runs({})))[0]).toMatchObject({ id: 1 })
    expect((await finished(here.run({ id: 1 }))).exports).toMatchObject([{ format: 'packed', path: output }])
    const again = await here.export({ model: run, output, format: 'packed', overwrite: true })
    expect(again).toMatchObject({ kind: 'failed', problem: { code: 'option_invalid' } })
  })

  test('as links', async () => {
    const output = path.join(home, 'linked')
    await finished(here.export({ model: run, output, format: 'packed', link: true }))
    for (const name of readdirSync(output)) {
      expect(statSync(path.join(output, name)).ino).toBe(statSync(path.join(run, 'packed', name)).ino)
    }
  })

  test('an original model, or a folder that was changed, is refused and leaves nothing', async () => {
    const output = path.join(home, 'refused')
    const original = await here.export({ model: demo, output, format: 'packed' })
    expect(original).toMatchObject({ kind: 'failed', problem: { code: 'export_unsupported' } })
    const spoiled = await here.export({ model: await spoil('weights'), output, format: 'packed' })
    expect(spoiled).toMatchObject({ kind: 'failed', problem: { code: 'packed_broken' } })
    expect(readdirSync(home).filter((name) => name.startsWith('refused'))).toEqual([])
  })
})

describe('for other programs', () => {
  test('a Hugging Face folder in files of a size is the same model to evaluate', async () => {
    const output = path.join(home, 'plain')
    const request = { model: run, output, format: 'huggingface', type: 'f32', shard_bytes: 4_000_000 } as const
    const done = await finished(here.export(request))
    expect(done.verification).toMatchObject({ relative_error: 0, largest_error: 0 })
    expect(done.files.filter(({ name }) => name.endsWith('.safetensors')).length).toBeGreaterThan(2)
    const text = { source: 'bundled:evaluation-samples', window: 64 }
    const against = await finished(here.evaluate({ model: run, against: output, ...text }))
    expect(against.against!.comparison.kld.mean.value).toBeLessThan(1e-9)
  })

  test.skipIf(!numpy)(
    'the reference decoder reads from the packed folder what stands in the Hugging Face one',
    async () => {
      const output = path.join(home, 'whole')
      await finished(here.export({ model: run, output, format: 'huggingface' }))
      const decoded = spawnSync('python3', [path.join(root, 'docs', 'decode.py'), path.join(run, 'packed')])
      const hashes = new Map<string, string>()
      for (const name of readdirSync(output).filter((one) => one.endsWith('.safetensors'))) {
        const file = await openSafetensors(path.join(output, name))
        for (const tensor of file.tensors.keys())
          hashes.set(
            tensor,
            createHash('sha256')
              .update(await file.read(tensor))
              .digest('hex'),
          )
        await file.close()
      }
      const told = decoded.stdout.toString().trim().split('\n')
      expect(new Map(told.map((line) => [line.split(' ')[0]!, /[0-9a-f]{64}/.exec(line)![0]]))).toEqual(hashes)
    },
  )

  test('GPTQ says why a run of two methods has no form there', async () => {
    const output = path.join(home, 'gptq')
    const refused = await here.export({ model: run, output, format: 'gptq' })
    expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'export_unsupported' } })
    expect(refused).toHaveProperty('problem.message', expect.stringContaining('is signum-rc'))
    expect(readdirSync(home).filter((name) => name.startsWith('gptq'))).toEqual([])
  })

  test('GPTQ, with the configuration that loads it', async () => {
    const out = path.join(home, 'codes')
    const plain = { ...recipe, parameters: { bits: 4, group: 64, symmetric: true }, overrides: [] }
    await finished(here.quantize({ model: demo, recipe: plain, out }))
    const output = path.join(home, 'codes-gptq')
    const done = await finished(here.export({ model: out, output, format: 'gptq' }))
    expect(done.types.map(({ type }) => type)).toEqual(['F16', 'GPTQ 4 bits'])
    expect(done.type).toBeNull()
    const config = JSON.parse(readFileSync(path.join(output, 'config.json'), 'utf8')) as Record<string, unknown>
    expect(config['quantization_config']).toMatchObject({
      bits: 4,
      group_size: 64,
      sym: true,
      checkpoint_format: 'gptq',
    })
    const options = { model: out, output: path.join(home, 'other'), format: 'gptq' } as const
    expect(await here.export({ ...options, type: 'f16' })).toMatchObject({ problem: { code: 'option_invalid' } })
    expect(await here.export({ ...options, link: true })).toMatchObject({ problem: { code: 'option_invalid' } })
  })
})

let copies = 0
async function spoil(what: 'weights' | 'tokenizer' | 'recipe'): Promise<string> {
  const folder = path.join(home, `spoiled-${copies++}`)
  cpSync(path.join(run, 'packed'), folder, { recursive: true })
  if (what === 'tokenizer') {
    const file = path.join(folder, 'tokenizer_config.json')
    writeFileSync(file, `${readFileSync(file, 'utf8')} `)
    return folder
  }
  const file = path.join(folder, 'model-00001-of-00005.safetensors')
  const bytes = readFileSync(file)
  if (what === 'recipe') {
    const seed = String.raw`\"seed\":`
    bytes.write('1', bytes.indexOf(seed) + seed.length)
  } else {
    const shard = await openShard(file)
    const name = 'model.layers.0.self_attn.q_proj.code'
    const at = 8 + shard.file.headerBytes + shard.tensors.get(name)!.begin
    bytes[at]! ^= 1
    await shard.close()
  }
  writeFileSync(file, bytes)
  return folder
}

describe('a packed folder is imported', () => {
  test('as a finished run: recipe, bits and layers from the files, what they do not tell is missing', async () => {
    const there = elsewhere()
    const taken = path.join(home, 'from', 'tiny')
    cpSync(run, taken, { recursive: true })
    const { id, known } = await finished(there.import({ folder: taken }))
    expect(known).toBe(false)
    rmSync(taken, { recursive: true })
    const [before, after] = [await finished(here.run({ id: 1 })), await finished(there.run({ id }))]
    for (const key of ['method', 'status', 'layers', 'nominal_bits', 'linear_bits', 'file_bits', 'file_bytes'] as const)
      expect([key, after[key]]).toEqual([key, before[key]])
    expect(after.name).toMatch(/^tiny gptq/)
    expect(after).toMatchObject({
      model: null,
      peak_resident_bytes: null,
      metrics: [],
      linear_bytes: before.linear_bytes,
    })
    expect(after.recipe.parameters).toEqual(before.recipe.parameters)
    expect(after.recipe.calibration).toMatchObject({
      source: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      length: 64,
    })
    expect(after.layer_reports).toHaveLength(before.layer_reports.length)
    for (const [index, layer] of after.layer_reports.entries()) {
      const told = before.layer_reports[index]!
      expect(layer).toEqual({ ...told, relative_weight_error: null, relative_output_error: null, seconds: null })
    }
    // Everything that looks at a run finds it.
    const report = await finished(there.report({ id }))
    expect(report).toMatchObject({ imported: { from: path.join(taken, 'packed') }, sizes: { original_bytes: null } })
    expect((await finished(there.runPictures({ id }))).linears.length).toBeGreaterThan(20)
    expect(await finished(there.bytes({ id }))).toEqual(await finished(here.bytes({ id: 1 })))
    expect((await finished(there.sheet({ id }))).markdown).toContain('gptq')
    const evaluated = await finished(
      there.evaluate({ model: after.folder!, source: 'bundled:evaluation-samples', window: 64 }),
    )
    expect(evaluated.perplexity.value).toBeGreaterThan(1)
    expect((await finished(there.run({ id }))).metrics).toHaveLength(1)
    const output = path.join(home, 'imported.gguf')
    await finished(there.export({ model: after.folder!, output, format: 'gguf' }))
    expect((await finished(there.run({ id }))).exports).toMatchObject([{ format: 'gguf' }])
    const again = await finished(there.import({ folder: path.join(run, 'packed') }))
    expect(again).toEqual({ id, known: true })
    await finished(there.deleteRun({ id }))
    expect(readdirSync(path.join(there.data, 'runs'))).toEqual([])
    await there.close()
  }, 120_000)

  test('with a name, as links; a run of this history is that run', async () => {
    const there = elsewhere()
    const { id } = await finished(there.import({ folder: run, name: 'mine', link: true }))
    const { folder, name } = await finished(there.run({ id }))
    expect(name).toBe('mine')
    const file = path.join('packed', 'config.json')
    expect(statSync(path.join(folder!, file)).ino).toBe(statSync(path.join(run, file)).ino)
    expect(await finished(here.import({ folder: run }))).toEqual({ id: 1, known: true })
    await there.close()
  })

  test.each([
    ['weights', 'The tensor model.layers.0.self_attn.q_proj.code has not the bytes'],
    ['tokenizer', 'tokenizer_config.json is not the file'],
    ['recipe', 'are of different runs'],
  ] as const)('changed %s are refused by name, and nothing stays', async (what, sentence) => {
    const there = elsewhere()
    const refused = await there.import({ folder: await spoil(what) })
    expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'packed_broken' } })
    expect(refused).toHaveProperty('problem.message', expect.stringContaining(sentence))
    expect(await finished(there.runs({}))).toEqual([])
    mkdirSync(path.join(there.data, 'runs'), { recursive: true })
    expect(readdirSync(path.join(there.data, 'runs'))).toEqual([])
    await there.close()
  })

  test('an original model, and no model', async () => {
    const there = elsewhere()
    expect(await there.import({ folder: demo })).toMatchObject({ kind: 'failed', problem: { code: 'packed_broken' } })
    const missing = await there.import({ folder: path.join(home, 'nothing') })
    expect(missing).toMatchObject({ kind: 'failed', problem: { code: 'not_a_model_folder' } })
    await there.close()
  })
})
