import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findModelFolders } from './folders.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  const put = async (folder: string) => {
    await mkdir(path.join(root, folder), { recursive: true })
    await writeFile(path.join(root, folder, 'config.json'), '{}')
  }
  await put('plain')
  await put('deeper/one')
  await put('.hidden')
  await put('node_modules/x')
  const hub = 'hub/models--meta-llama--Llama-2-7b-hf'
  await mkdir(path.join(root, hub, 'blobs'), { recursive: true })
  await writeFile(path.join(root, hub, 'blobs', 'abc'), '{}')
  const snapshot = path.join(root, hub, 'snapshots', '01234567890abcdef')
  await mkdir(snapshot, { recursive: true })
  await symlink('../../blobs/abc', path.join(snapshot, 'config.json'))
  await symlink(root, path.join(root, 'deeper', 'loop'))
  await symlink(path.join(root, 'nowhere'), path.join(root, 'dangling'))
})
afterAll(() => rm(root, { recursive: true }))

test('finds plain folders and the snapshots of a hub cache, once each', async () => {
  const names = (await findModelFolders(root)).map(({ name }) => name)
  expect(names).toEqual([path.join('deeper', 'one'), 'meta-llama/Llama-2-7b-hf@0123456', 'plain'])
})

test('a model folder itself is found under its own name', async () => {
  expect(await findModelFolders(path.join(root, 'plain'))).toEqual([
    { folder: path.join(root, 'plain'), name: 'plain' },
  ])
})

test('a folder that is not there holds nothing', async () => {
  expect(await findModelFolders(path.join(root, 'none'))).toEqual([])
})
