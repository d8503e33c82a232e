import { expect, test } from 'vitest'
import type { ask } from '../../client/client.ts'
import { TokenView } from './tokens.svelte.ts'

type Request = { id: number; text: number; against: number | null; from: number; count: number; order?: string }

/** A text of 40,000 tokens in windows of 10; the run loses its position in thousandths, others half or a tenth of it. */
function opened() {
  const asked: Request[] = []
  const positions = 40_000
  const answer = ({ against, from, count, order = 'difference' }: Request) => {
    const length = Math.min(count, positions - from)
    const of = (share: number) =>
      Float32Array.from({ length }, (_, i) => ((from + i) % 10 === 0 ? Number.NaN : (share * (from + i)) / 1000))
    const worst = [39_999, 39_998, 39_997].map((position) => ({ position, text: 'x', before: '', after: '' }))
    return {
      positions,
      window: 10,
      unpredicted: 1,
      from,
      tokens: Uint32Array.from({ length }, (_, i) => from + i),
      pieces: Array.from({ length }, (_, i) => ` ${from + i}`),
      losses: of(1),
      other_losses: of(against === null ? 0.5 : 0.1),
      kld: against === null ? of(0.01) : null,
      same_top: against === null ? new Uint8Array(length).fill(1) : null,
      worst: order === 'loss' ? worst.toReversed() : worst,
      totals: { tokens: 36_000, loss: 20, other_loss: 10, kld: 0.1, same_top: 0.9 },
    }
  }
  const view = new TokenView(((name: string, request: Request) => {
    if (name === 'report') return Promise.resolve({ value: { perplexity: [{}, {}] }, problem: null })
    asked.push(request)
    return Promise.resolve({ value: answer(request), problem: null })
  }) as unknown as typeof ask)
  return { view, asked }
}

test('a long text comes answer by answer, beside the original and another run', async () => {
  const { view, asked } = opened()
  await view.open(3, 5)
  const read = asked.filter(({ count }) => count > 0).map(({ from, against }) => [from, against])
  const starts = Array.from({ length: 10 }, (_, i) => 4096 * i)
  expect(read).toEqual([null, 5].flatMap((against) => starts.map((from) => [from, against])))
  expect([view.losses?.loaded, view.share, view.loading, view.rows.length]).toEqual([40_000, 1, false, 4000])
  expect([view.against, view.difference(1000 + 1)]).toEqual([5, expect.closeTo(0.9009, 4)])
  expect([view.differences.length, view.losses?.pieces[20_000]]).toEqual([36_000, ' 20000'])
  await view.open(3, undefined)
  expect(asked).toHaveLength(21)
})

test('the worst places: the first is looked at, the next ones by steps, round at the end', async () => {
  const { view } = opened()
  await view.open(3, undefined)
  expect([view.current, view.rank]).toEqual([39_999, 0])
  view.step(1)
  view.step(1)
  expect(view.current).toBe(39_997)
  view.step(1)
  expect(view.current).toBe(39_999)
  view.step(-1)
  expect(view.current).toBe(39_997)
  view.move(-7)
  expect([view.current, view.rank]).toEqual([39_990, -1])
  view.setOrder('loss')
  await new Promise((resolve) => setTimeout(resolve))
  expect(view.worst[0]?.position).toBe(39_997)
  expect(view.current).toBe(39_990)
})

test('another run comes beside, its divergence is not known; taken off, the original is back', async () => {
  const { view } = opened()
  await view.open(3, undefined)
  view.order = 'kld'
  view.add(7)
  view.add(3)
  await new Promise((resolve) => setTimeout(resolve))
  view.setAgainst(7)
  expect([view.besides, view.order]).toEqual([[7], 'difference'])
  expect(view.difference(1001)).toBeCloseTo(0.9009)
  view.remove(7)
  expect([view.against, view.besides]).toEqual(['original', []])
})

test('the table has what is shown', async () => {
  const { view } = opened()
  await view.open(3, 5)
  view.setAgainst('original')
  view.onlyWorse = true
  view.threshold = 19.9979
  const table = view.table((run) => `run ${run}`)
  expect(table.columns.slice(4, 8)).toEqual([
    'loss of run 3 (nats)',
    'loss of original (nats)',
    'loss of run 5 (nats)',
    'difference from original (nats)',
  ])
  expect(table.rows.map(([position]) => position)).toEqual([39_996, 39_997, 39_998, 39_999])
  expect(table.rows[3]).toEqual([
    39_999,
    3999,
    39_999,
    ' 39999',
    ...[39.999, 19.9995, 3.9999, 19.9995, 0.39999].map((x) => expect.closeTo(x, 3) as number),
    true,
  ])
  view.onlyWorse = false
  expect(view.table(String).rows[0]).toEqual([0, 0, 0, ' 0', null, null, null, null, null, true])
})

test('what went wrong is said', async () => {
  const view = new TokenView(() => Promise.resolve({ value: null, problem: { code: 'run_lost', message: 'Gone.' } }))
  await view.open(1, undefined)
  expect([view.problem?.message, view.loading, view.losses]).toEqual(['Gone.', false, null])
})
