// Pictures from a thread are those of the same process; what a thread takes with it when it ends is said.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'rolldown'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atOnce, tilePath, type PackedOwner } from '../contract/pictures.ts'
import { randomLinear } from './testing/random-linear.ts'
import { picturesOfRuns, writeRun } from './testing/run-folder.ts'
import { openThreadedPictures } from './threaded.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'signum-thread-'))
  // As electron-vite does it: one file for a thread of Node, with the packages left where they are.
  await build({
    input: path.join(import.meta.dirname, 'thread.ts'),
    platform: 'node',
    output: { file: path.join(folder, 'thread.mjs'), format: 'es' },
    cwd: root,
    logLevel: 'silent',
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const P = 'model.layers.0.mlp.up_proj'
const layout = {
  method: 'signum-rc',
  rows: 300,
  columns: 260,
  blocksize: 64,
  scale_type: 'f16',
  second_columns: 40,
  column_scales: true,
} as const

test('a thread makes the same pictures, asks where runs lie, and says what is wrong', async () => {
  const run = await writeRun([{ linears: { [P]: layout }, tensors: randomLinear(P, layout, 5).tensors }])
  const places = { ...run, model: null }
  const here = picturesOfRuns(places)
  const asked: PackedOwner[] = []
  const there = openThreadedPictures(path.join(folder, 'thread.mjs'), (id) => {
    asked.push(id)
    if (id === 1) return Promise.resolve({ ok: true, value: places })
    return Promise.resolve({ ok: false, problem: { code: 'run_unknown', message: 'There is no such run.' } })
  })
  // Nothing was asked: there is nothing to forget.
  await there.forget(1)
  expect(await there.list(1)).toEqual(await here.list(1))
  expect(await there.scale(1, P)).toEqual(await here.scale(1, P))
  for (const kind of ['sign', 'quantized'] as const) {
    for (const level of [0, 1]) {
      const file = tilePath(1, P, kind, { level, row: 0, column: 0 })
      expect(await there.answer(file), file).toEqual(await here.answer(file))
    }
  }
  const soon = await there.answer(atOnce(tilePath(1, P, 'sign', { level: 1, row: 0, column: 0 })))
  expect(soon.status).toBe(200)
  expect(await there.list(2)).toMatchObject({ ok: false, problem: { code: 'run_unknown' } })
  expect(asked).toEqual([1, 2])
  await there.forget(1)
  await there.close()
  // A further call begins anew.
  expect(await there.list(1)).toMatchObject({ ok: true })
  await there.close()
})

test('a thread that cannot begin fails its calls, and nothing waits for ever', async () => {
  const file = path.join(folder, 'broken.mjs')
  await writeFile(file, 'throw new Error("broken on purpose")\n')
  const pictures = openThreadedPictures(file, () => Promise.reject(new Error('nobody asks')))
  await expect(pictures.list(1)).rejects.toThrow('broken on purpose')
  await expect(pictures.answer('/pictures/1/a/sign/0/0/0')).rejects.toThrow('broken on purpose')
})
