// The controller of "Runs" with a window that only pretends.
import { beforeEach, expect, test, vi } from 'vitest'
import type { RunStatus, RunSummary } from '../../../electron/contract/history.ts'
import { navigation } from '../../client/navigation.svelte.ts'
import { RunPage } from './runs.svelte.ts'

let asked: [name: string, request: { id?: number }][] = []
/** Answers that come when the test says so. */
let held: (() => void)[] = []
let holds: (name: string, request: { id?: number }) => boolean = () => false
const refused = new Set<string>()

vi.stubGlobal('window', {
  signum: {
    call: async (name: string, request: { id?: number }) => {
      asked.push([name, request])
      if (holds(name, request)) await new Promise<void>((resolve) => held.push(resolve))
      if (refused.has(name)) return { kind: 'failed', problem: { code: 'no', message: `No ${name}.` } }
      return { kind: 'finished', value: answer(name, request) }
    },
  },
})

function answer(name: string, { id = 0, ids }: { id?: number; ids?: number[] }): unknown {
  if (name === 'deleteRuns') return { deleted: ids, refused: [], until: 0 }
  if (name === 'run') return { ...run(id, 'finished'), model: null, layer_reports: [], exports: [] }
  if (name === 'runEvents') return []
  if (name === 'runList') return { revision: 0, heads: '[]', recipes: '', metrics: '', gone: [] }
  if (name === 'sheet') return { markdown: `# run ${id}` }
  if (name === 'queue') return { running: [], waiting: [], waits: [] }
  return { of: id }
}

function run(id: number, status: RunStatus): RunSummary {
  const recipe = {
    signum_recipe: 1 as const,
    method: 'rtn',
    parameters: {},
    overrides: [],
    embedding_type: 'source' as const,
    head_type: 'source' as const,
    calibration: null,
    evaluations: [],
  }
  const numbers = { nominal_bits: null, linear_bits: null, file_bits: null, file_bytes: null, linear_bytes: null }
  const problem = { error_code: null, error_message: null, error_detail: null }
  const times = { created_at: 1, started_at: 2, finished_at: null, seconds: null, peak_resident_bytes: null }
  const own = { output_error: null, note: '', tags: [], archived_at: null }
  const device = { device: 'cpu', device_name: null, precision: null, device_peak_bytes: null }
  const place = { model_id: null, folder: `/runs/${id}`, ...device, program: null }
  const layers = { layers: 4, finished_layers: 0, metrics: [] }
  return {
    id,
    name: `run ${id}`,
    method: 'rtn',
    recipe,
    status,
    ...numbers,
    ...problem,
    ...times,
    ...place,
    ...own,
    ...layers,
  }
}

const names = () => asked.map(([name]) => name)

beforeEach(() => {
  asked = []
  held = []
  holds = () => false
  refused.clear()
})

test('a finished run appears with everything of it at once', async () => {
  const page = new RunPage()
  holds = (name) => name === 'bytes'
  const loading = page.load(run(1, 'finished'), false)
  await vi.waitFor(() => expect(held).toHaveLength(1))
  expect([page.run, page.details, page.report]).toEqual([null, null, null])
  held[0]!()
  await loading
  expect(page.run?.id).toBe(1)
  expect(page.report).toEqual({ of: 1 })
  expect(page.bytes).toEqual({ of: 1 })
})

test('what comes late for another run is dropped', async () => {
  const page = new RunPage()
  holds = (name, { id }) => name === 'report' && id === 1
  const first = page.load(run(1, 'finished'), false)
  await vi.waitFor(() => expect(held).toHaveLength(1))
  await page.load(run(2, 'finished'), false)
  held[0]!()
  await first
  expect([page.run?.id, page.report]).toEqual([2, { of: 2 }])
})

test('what has ended is not read again, unless something of it could not be', async () => {
  const page = new RunPage()
  await page.load(run(1, 'finished'), false)
  asked = []
  await page.load({ ...run(1, 'finished'), name: 'other' }, false)
  expect(names()).toEqual([])
  expect(page.run?.name).toBe('other')
  refused.add('report')
  await page.load(run(2, 'finished'), false)
  expect(page.problem?.message).toBe('No report.')
  refused.clear()
  await page.load(run(2, 'finished'), false)
  expect(page.problem).toBeNull()
})

test('a run that ends while it is looked at stays as it was until its result is there', async () => {
  const page = new RunPage()
  await page.load(run(1, 'running'), true)
  await page.stop(1)
  expect(page.asked).toBe('stop')
  holds = (name) => name === 'report'
  const loading = page.load(run(1, 'finished'), false)
  await vi.waitFor(() => expect(held).toHaveLength(1))
  expect([page.run?.status, page.here]).toEqual(['running', true])
  held[0]!()
  await loading
  expect([page.run?.status, page.here, page.asked]).toEqual(['finished', false, null])
})

test('a refused stop can be asked for again, and it is said why', async () => {
  const page = new RunPage()
  await page.load(run(1, 'running'), true)
  refused.add('stopRun')
  await page.stop(1)
  expect([page.asked, page.refusal?.message]).toEqual([null, 'No stopRun.'])
})

test('after a deletion another run is looked at; after a refused one the same', async () => {
  const page = new RunPage()
  navigation.go('runs', { run: 1 })
  refused.add('deleteRuns')
  await page.remove(1, 2)
  expect(navigation.here.run).toBe(1)
  refused.clear()
  await page.remove(1, 2)
  expect(navigation.here.run).toBe(2)
  await page.remove(2, undefined)
  expect(navigation.here).toEqual({ view: 'runs' })
})

test('the results sheet goes to the clipboard; a refusal is shown instead', async () => {
  const page = new RunPage()
  await page.copySheet(3)
  expect(asked.slice(-2)).toEqual([
    ['sheet', { id: 3 }],
    ['copyText', { text: '# run 3' }],
  ])
  expect([page.copied, page.refusal]).toEqual([true, null])
  const other = new RunPage()
  refused.add('sheet')
  await other.copySheet(3)
  expect(names().at(-1)).toBe('sheet')
  expect([other.copied, other.refusal?.message]).toEqual([false, 'No sheet.'])
})
