import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findNvcc } from './cuda.mjs'

let home = ''
const nvcc = () => path.join(home, 'bin', process.platform === 'win32' ? 'nvcc.exe' : 'nvcc')
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'signum-test-'))
  mkdirSync(path.join(home, 'bin'))
  writeFileSync(nvcc(), '')
  chmodSync(nvcc(), 0o755)
})
afterAll(() => rmSync(home, { recursive: true }))

test('nvcc is found where people have it', () => {
  expect(findNvcc({ PATH: `/none${path.delimiter}${path.join(home, 'bin')}` })).toBe(nvcc())
  expect(findNvcc({ CUDA_PATH: home })).toBe(nvcc())
  expect(findNvcc({ CUDACXX: '/opt/nvcc', CUDA_PATH: home })).toBe('/opt/nvcc')
})
test('a file of that name that cannot be executed is none', () => {
  chmodSync(nvcc(), 0o644)
  expect(findNvcc({ PATH: path.join(home, 'bin') })).not.toBe(nvcc())
})
