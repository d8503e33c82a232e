import { expect, it, vi } from 'vitest'
import type { Outcome } from '../../client/client.ts'
import { Gains } from './gains.svelte.ts'

const calibration = {
  source: 'bundled:calibration-broad',
  sampling: 'sequential',
  sequences: 32,
  length: 256,
  seed: 0,
  join: 'raw',
}
const unknown = { calibration, known: null, seconds: 12 }
const known = { calibration, known: { candidates: [], linears: [], measured_at: 1 }, seconds: 11 }
const good = (value: unknown): Outcome<unknown> => ({ value, problem: null })
const bad = (code: string): Outcome<unknown> => ({ value: null, problem: { code, message: 'No.' } })

function gainsWith(answers: Record<string, (request: unknown) => Outcome<unknown> | Promise<Outcome<unknown>>>) {
  const asked = vi.fn((name: string, request: unknown) => Promise.resolve(answers[name]!(request)))
  return { gains: new Gains(asked as never), asked }
}

it('measures with the calibration of the run where nothing was measured, then asks again', async () => {
  let measured = false
  const { gains, asked } = gainsWith({
    gains: () => good(measured ? known : unknown),
    plan: () => {
      measured = true
      return good({})
    },
  })
  await gains.load(3, 2)
  expect(gains.answer).toEqual(unknown)
  await gains.measure('/models/a', 2)
  expect(asked).toHaveBeenCalledWith('plan', expect.objectContaining({ model: '/models/a', calibration, threads: 2 }))
  expect(gains.answer).toEqual(known)
  expect(gains.working).toBe(false)
  // What is known is not asked for again.
  await gains.load(3, 2)
  expect(asked.mock.calls.filter(([name]) => name === 'gains')).toHaveLength(2)
})

it('says what went wrong, but nothing of what a person cancelled', async () => {
  for (const [code, shown] of [
    ['model_unreadable', 'model_unreadable'],
    ['cancelled', undefined],
  ] as const) {
    const { gains } = gainsWith({ gains: () => good(unknown), plan: () => bad(code) })
    await gains.load(1, 0)
    await gains.measure('/models/a', 0)
    expect(gains.problem?.code).toBe(shown)
    expect(gains.answer).toEqual(unknown)
  }
})

it('drops the answer for a run that is not looked at any more', async () => {
  const waiting: ((answer: Outcome<unknown>) => void)[] = []
  const { gains } = gainsWith({ gains: () => new Promise((done) => waiting.push(done)) })
  const first = gains.load(1, 0)
  const second = gains.load(2, 0)
  waiting[1]!(good(known))
  waiting[0]!(good(unknown))
  await Promise.all([first, second])
  expect([gains.run, gains.answer]).toEqual([2, known])
})

it('knows the time that is left from what is done', async () => {
  const { gains } = gainsWith({ gains: () => good(unknown), plan: () => new Promise(() => undefined) })
  await gains.load(1, 0)
  void gains.measure('/models/a', 0)
  expect(gains.left(gains.begun + 1000)).toBeNull()
  gains.hear(0.25)
  expect(gains.left(gains.begun + 2000)).toBeCloseTo(6)
})
