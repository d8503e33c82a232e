// Every test file gets a data folder of its own: nobody's history is touched, and files that run at once share no device.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'

const data = mkdtempSync(path.join(tmpdir(), 'signum-data-'))
process.env['SIGNUM_DATA'] = data
// Whatever card this machine has: where runs compute is for each test to say.
process.env['SIGNUM_CUDA_WORKER'] = ''
afterAll(() => rmSync(data, { recursive: true, force: true }))
