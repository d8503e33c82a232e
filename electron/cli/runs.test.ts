// The history as the command line writes and shows it: real processes, one after another and at once.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunDetails, RunSummary } from '../contract/history.ts'

const main = path.join(import.meta.dirname, 'main.ts')
const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const worker = path.join(root, 'electron', 'worker', 'testing', 'fake-worker.mjs')
let folder = ''
beforeAll(() => void (folder = mkdtempSync(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rmSync(folder, { recursive: true }))
const place = (name: string) => path.join(folder, name)

type Played = { code: number | null; out: string; err: string }
/** `when`: called once, as soon as something was written. */
async function signum(argv: string[], manners = '', when?: (child: ChildProcess) => void): Promise<Played> {
  const env = { ...process.env, SIGNUM_WORKER: worker, SIGNUM_FAKE: manners, SIGNUM_DATA: place('data') }
  const child = spawn(process.execPath, [main, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const written = { out: '', err: '' }
  const take = (key: 'out' | 'err') => (part: string) => {
    written[key] += part
    when?.(child)
    when = undefined
  }
  child.stdout.setEncoding('utf8').on('data', take('out'))
  child.stderr.setEncoding('utf8').on('data', take('err'))
  const code = await new Promise<number | null>((resolve) => void child.on('close', resolve))
  return { code, ...written }
}
const quantize = (name: string, ...more: string[]) => [
  'quantize',
  model,
  '--method',
  'rtn',
  '--out',
  place(name),
  ...more,
]
async function runs(...more: string[]): Promise<RunSummary[]> {
  return (JSON.parse((await signum(['runs', '--json', ...more])).out) as { runs: RunSummary[] }).runs
}

test('a run, an evaluation and a failure are found again', async () => {
  expect((await signum(['runs'])).out).toBe('No runs yet.\n')
  expect((await signum(quantize('a', '--name', 'the first'))).code).toBe(0)
  await signum(['evaluate', model, '--text', 'bundled:evaluation-tales'])
  expect((await signum(quantize('b', '--no-evaluation'), 'crash-late')).code).toBe(1)
  const list = await runs()
  expect(list).toMatchObject([
    { id: 2, name: 'signum-stories-4m rtn', status: 'failed', error_code: 'worker_crashed', metrics: [] },
    { id: 1, name: 'the first', status: 'finished', folder: place('a'), linear_bits: 2.1 },
  ])
  expect(list[1]!.metrics.map(({ subject, value }) => [subject, value])).toEqual([
    ['original', 30],
    ['packed', 40],
    ['packed', 0.25],
    ['packed', 0.8],
  ])
  const { out } = await signum(['runs'])
  expect(out).toMatch(/\| +2 \| signum-stories-4m rtn \| failed \(worker_crashed\) \|/)
  expect(out).toMatch(
    /2\.10 \| +4\.50 \| +500 kB \| 40\.00 ± 1\.50 \| 30\.00 ± 1\.50 \| evaluation-stories, papers, 13 x 256 \|/,
  )
})

test('one run is shown whole', async () => {
  const shown = JSON.parse((await signum(['runs', 'show', '1', '--json'])).out) as RunDetails
  expect(shown).toMatchObject({ id: 1, model: { path: model }, layer_reports: { length: 8 }, exports: [] })
  const first = await signum(['runs', 'show', '1'])
  expect(first.out).toContain('mean KLD        packed 0.2500 ± 0.0100 (evaluation-stories, protocol papers, 13 windows')
  expect(first.out).not.toContain('kld_')
  const { out } = await signum(['runs', 'show', '2'])
  expect(out).toContain('error           worker_crashed: The worker ended with code 139 without saying why.')
  expect(out).toContain(`go on with      signum quantize --resume --out ${place('b')}`)
})

test('what was exported of a run is shown with it, hash and all', async () => {
  const exported = await signum(['export', place('a'), '--type', 'f16', '--out', place('a.gguf')])
  expect(exported.code).toBe(0)
  const { out } = await signum(['runs', 'show', '1'])
  expect(out).toContain(
    `export          gguf f16 ${place('a.gguf')}, 14.7 MB, verified: all as the model decodes them\n`,
  )
  expect(out).toContain(`sha256 ${'5'.repeat(64)}  a.gguf`)
})

test('the results sheet of a run, to paste; only of one that finished', async () => {
  const { out } = await signum(['runs', 'sheet', '1'])
  expect(out).toMatch(/^# the first\n/)
  expect(out).toContain('| PPL | 30.00 ± 1.50 | 40.00 ± 1.50 |')
  expect(out).toContain('| Mean KLD | 0.2500 ± 0.0100 |')
  const { markdown } = JSON.parse((await signum(['runs', 'sheet', '1', '--json'])).out) as { markdown: string }
  expect(`${markdown.trimEnd()}\n`).toBe(out)
  const failed = await signum(['runs', 'sheet', '2'])
  expect(failed.code).toBe(1)
  expect(failed.err).toContain('Run 2 has no results: it is failed, not finished.')
})

test('one that was killed is interrupted, and goes on', async () => {
  const killed = await signum(quantize('c', '--no-evaluation'), 'slow', (child) => child.kill('SIGKILL'))
  expect(killed.code).toBeNull()
  expect((await runs())[0]).toMatchObject({ id: 3, status: 'interrupted' })
  expect((await signum(['quantize', '--resume', '--out', place('c')])).code).toBe(0)
  expect((await runs())[0]).toMatchObject({ id: 3, status: 'finished' })
})

test('two at once take turns', async () => {
  const [d, e] = await Promise.all([
    signum(quantize('d', '--no-evaluation'), 'slow'),
    signum(quantize('e', '--no-evaluation'), 'slow'),
  ])
  expect([d.code, e.code]).toEqual([0, 0])
  expect([d.err, e.err].filter((text) => text.includes('device_busy'))).toHaveLength(1)
})

test('delete takes folder and rows, or refuses', async () => {
  writeFileSync(place('a/notes.txt'), 'mine')
  const refused = await signum(['runs', 'delete', '1'])
  expect(refused.code).toBe(1)
  expect(refused.err).toContain('delete_refused')
  rmSync(place('a/notes.txt'))
  expect(await signum(['runs', 'delete', '1'])).toMatchObject({
    code: 0,
    out: `Run 1 is deleted, with ${place('a')}.\n`,
  })
  expect(existsSync(place('a'))).toBe(false)
  expect((await runs()).map(({ id }) => id)).not.toContain(1)
  expect((await signum(['runs', 'show', '1'])).err).toBe('run_unknown: There is no run 1.\n')
})

test.each([[['delete']], [['show', 'first']], [['remove', '1']], [['list', '1']]])(
  'runs %j is a mistake',
  async (words) => {
    expect(await signum(['runs', ...words])).toMatchObject({ code: 2, out: '' })
  },
)

test('--data is another history, and one that cannot be used is a note', async () => {
  expect((await signum(quantize('f', '--no-evaluation', '--data', place('other')))).code).toBe(0)
  expect(await runs('--data', place('other'))).toMatchObject([{ id: 1, folder: place('f') }])
  mkdirSync(place('broken'))
  writeFileSync(place('broken/history.db'), 'no database '.repeat(500))
  const played = await signum(quantize('g', '--data', place('broken'), '--json'))
  expect(played.code).toBe(0)
  expect(played.err.match(/history_unavailable/g)).toHaveLength(1)
  expect(JSON.parse(played.out)).toMatchObject({ signum_report: 1 })
  expect(await signum(['runs', '--data', place('broken')])).toMatchObject({ code: 1, out: '' })
})
