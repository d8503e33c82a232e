import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openWorkbench, type Workbench } from './workbench.ts'

let data = ''
let workbench: Workbench
beforeEach(async () => {
  data = mkdtempSync(path.join(tmpdir(), 'signum-caches-'))
  workbench = (await openWorkbench()).at(data)
})
afterEach(async () => {
  await workbench.close()
  rmSync(data, { recursive: true })
})

const value = async () => {
  const ending = await workbench.caches({})
  return ending.kind === 'finished' ? ending.value : ending
}

test('caches have sizes, and are emptied one by one', async () => {
  expect(await value()).toEqual([
    { name: 'hessians', files: 0, bytes: 0 },
    { name: 'measurements', files: 0, bytes: 0 },
  ])
  mkdirSync(path.join(data, 'hessians', 'tiny'), { recursive: true })
  mkdirSync(path.join(data, 'measurements'))
  writeFileSync(path.join(data, 'hessians', 'tiny', 'layer-0.safetensors'), Buffer.alloc(1000))
  writeFileSync(path.join(data, 'measurements', 'tiny.json'), '{}')
  expect(await value()).toEqual([
    { name: 'hessians', files: 1, bytes: 1000 },
    { name: 'measurements', files: 1, bytes: 2 },
  ])
  expect(await workbench.emptyCache({ name: 'hessians' })).toEqual({
    kind: 'finished',
    value: { name: 'hessians', files: 0, bytes: 0 },
  })
  expect(await value()).toMatchObject([{ files: 0 }, { files: 1 }])
})
