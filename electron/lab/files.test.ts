import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { pruneHessians } from './hessian-files.ts'
import { makeTrialFolder } from './trial-files.ts'

async function temporary(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** `age` in seconds. */
async function put(file: string, bytes: number, age: number): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, new Uint8Array(bytes))
  const time = Date.now() / 1000 - age
  await utimes(file, time, time)
}

test('the Hessians used last stay, within the limit and a tenth of the disk', async () => {
  const folder = await temporary()
  const file = (name: string) => path.join(folder, name)
  await put(file('a/0-0.safetensors'), 100, 30)
  await put(file('a/0-1.safetensors'), 100, 10)
  await put(file('b/1-0.safetensors'), 100, 50)
  await put(file('b/1-1.safetensors.partial'), 100, 5)
  await put(file('c/1-1.safetensors.partial'), 100, 7200)
  const there = async () => (await readdir(folder, { recursive: true })).sort()
  await pruneHessians(folder, 1e6, 250)
  expect(await there()).toEqual(['a', 'a/0-0.safetensors', 'a/0-1.safetensors', 'b', 'b/1-1.safetensors.partial'])
  // 200 bytes of files and 900 free: 110 may stay.
  await pruneHessians(folder, 800, 250)
  expect(await there()).toEqual(['a', 'a/0-1.safetensors', 'b', 'b/1-1.safetensors.partial'])
  await pruneHessians(path.join(folder, 'none'), 1e6)
})

test('folders of processes that have ended are removed, those of others stay', async () => {
  const parent = await temporary()
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  await put(path.join(parent, `signum-lab-${pid}-old`, 'trial-1', 'x'), 1, 0)
  await put(path.join(parent, `signum-lab-1-others`, 'x'), 1, 0)
  await put(path.join(parent, `signum-lab-notes`, 'x'), 1, 0)
  const made = await makeTrialFolder(parent)
  expect((await readdir(parent)).sort()).toEqual(
    ['signum-lab-1-others', path.basename(made), 'signum-lab-notes'].sort(),
  )
})
