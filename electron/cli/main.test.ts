// The command line as a process: exit codes and signals, with a worker that only pretends.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = path.join(import.meta.dirname, 'main.ts')
const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
let folder = ''
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(folder, { recursive: true }))

/** Starts the command line; `when` is called once, as soon as `text` was written. */
async function signum(
  argv: string[],
  manners: string,
  text = '',
  when: (child: ChildProcess) => void = () => undefined,
) {
  const worker = path.join(import.meta.dirname, '..', 'worker', 'testing', 'fake-worker.mjs')
  const env = { ...process.env, SIGNUM_WORKER: worker, SIGNUM_FAKE: manners }
  const child = spawn(process.execPath, [main, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const written = { out: '', err: '' }
  let waiting = text !== ''
  const take = (key: 'out' | 'err') => (part: string) => {
    written[key] += part
    if (waiting && (written.out + written.err).includes(text)) {
      waiting = false
      when(child)
    }
  }
  child.stdout.setEncoding('utf8').on('data', take('out'))
  child.stderr.setEncoding('utf8').on('data', take('err'))
  const code = await new Promise<number | null>((resolve) => void child.on('close', resolve))
  return { code, ...written }
}
const quantize = (name: string) => [
  'quantize',
  model,
  '--method',
  'rtn',
  '--no-evaluation',
  '--out',
  path.join(folder, name),
]

test('a finished command and a mistaken one', async () => {
  expect(await signum(['--version'], '')).toMatchObject({ code: 0, err: '' })
  const mistaken = await signum(['quantize', '--methd'], '')
  expect(mistaken).toMatchObject({ code: 2, out: '' })
  expect(mistaken.err).toContain('did you mean --method?')
})

test('Ctrl-C once stops after the layer, and the run goes on from there', async () => {
  const stopped = await signum(quantize('a'), 'slow', 'layer 1 of 2', (child) => child.kill('SIGINT'))
  expect(stopped.code).toBe(3)
  expect(stopped.err).toContain('Stopping after the layer in hand; Ctrl-C again cancels.')
  expect(stopped.out).toContain('Stopped after 1 of 2 layers.')
  const resumed = await signum(['quantize', '--resume', '--out', path.join(folder, 'a'), '--json'], '')
  expect(resumed.code).toBe(0)
  expect(JSON.parse(resumed.out)).toMatchObject({ resumed: true })
})

test('Ctrl-C twice cancels', async () => {
  const cancelled = await signum(quantize('b'), 'slow', 'layer 1 of 2', (child) => {
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGINT'), 50)
  })
  expect(cancelled.code).toBe(4)
  expect(cancelled.err).toContain('Cancelling.')
})

test('SIGTERM cancels, and the worker is gone too', async () => {
  const out = path.join(folder, 'c')
  const cancelled = await signum(quantize('c'), 'slow', 'layer 1 of 2', (child) => child.kill('SIGTERM'))
  expect(cancelled.code).toBe(4)
  const events = await readFile(path.join(out, 'events.jsonl'), 'utf8')
  expect(events).toContain('"cancelled"')
  const { pid } = JSON.parse(events.split('\n')[0]!) as { pid: number }
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

test('Ctrl-C ends the answer under way, and then the chat, though more could be typed', async () => {
  const worker = path.join(import.meta.dirname, '..', 'worker', 'testing', 'fake-worker.mjs')
  const env = { ...process.env, SIGNUM_WORKER: worker, SIGNUM_FAKE: 'slow' }
  const child = spawn(process.execPath, [main, 'chat', model], { env, stdio: 'pipe' })
  let err = ''
  let begun = false
  child.stdout.once('data', () => {
    begun = true
    child.kill('SIGINT')
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    err += part
    if (begun && part.includes('(stopped)')) child.kill('SIGINT')
  })
  child.stdin.write('Hello\n')
  const code = await new Promise<number | null>((resolve) => void child.on('close', resolve))
  expect(code).toBe(0)
  expect(err).toContain('(stopped)')
})
