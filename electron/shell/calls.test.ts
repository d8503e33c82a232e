import { describe, expect, test } from 'vitest'
import { windowContract, type WindowContract } from '../contract/window.ts'
import { answer, type Handlers } from './calls.ts'
import { fitting } from './testing/requests.ts'

const names = Object.keys(windowContract) as (keyof WindowContract)[]
const window = { url: 'signum://app/index.html', isWindow: true }

/** Handlers that only remember what reached them. */
function listening() {
  const heard: [string, unknown][] = []
  const handlers = Object.fromEntries(
    names.map((name) => [
      name,
      (request: unknown) => {
        heard.push([name, request])
        return Promise.resolve({ kind: 'finished', value: null })
      },
    ]),
  ) as unknown as Handlers
  return { heard, handlers }
}

/** What no call takes: an argument of another kind, a number where there is a text, none at all. */
const never = [undefined, null, 7, 'text', []]
const wrongValues = [-1, 1.5, 'x'.repeat(2_000_000), [], {}, Number.NaN]

test('the list of requests above is the whole contract', () => {
  expect(Object.keys(fitting).toSorted()).toEqual(names.toSorted())
})

describe.each(names)('%s', (name) => {
  test('is answered for the window', async () => {
    const { heard, handlers } = listening()
    expect(await answer(handlers, name, window, fitting[name])).toMatchObject({ kind: 'finished' })
    expect(heard).toHaveLength(1)
  })

  test('is refused for any other frame', async () => {
    const { heard, handlers } = listening()
    const others = [
      { ...window, isWindow: false },
      { ...window, url: '' },
      { ...window, url: 'file:///signum/index.html' },
      { ...window, url: 'signum://other/index.html' },
      { ...window, url: 'signum://app.example/index.html' },
      { ...window, url: 'https://app/index.html' },
      { ...window, url: 'data:text/html,signum://app' },
    ]
    for (const sender of others) {
      const refused = await answer(handlers, name, sender, fitting[name])
      expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'sender_refused' } })
    }
    expect(heard).toEqual([])
  })

  test('is refused with arguments of another form', async () => {
    const { heard, handlers } = listening()
    const wrong: unknown[] = [...never]
    const right = fitting[name] as Record<string, unknown>
    for (const key of Object.keys(right)) {
      const without = Object.fromEntries(Object.entries(right).filter(([name]) => name !== key))
      const optional = windowContract[name].request.safeParse(without).success
      if (!optional) wrong.push(without)
      for (const value of wrongValues) {
        const changed = { ...right, [key]: value }
        if (!windowContract[name].request.safeParse(changed).success) wrong.push(changed)
      }
    }
    // Every key has at least one of these values that it must not take.
    expect(wrong.length).toBeGreaterThanOrEqual(never.length + Object.keys(right).length)
    for (const request of wrong) {
      const refused = await answer(handlers, name, window, request)
      expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'request_invalid' } })
    }
    expect(heard).toEqual([])
  })
})

test('what a handler throws becomes a problem', async () => {
  const { handlers } = listening()
  handlers.queue = () => Promise.reject(new Error('boom'))
  expect(await answer(handlers, 'queue', window, {})).toMatchObject({
    kind: 'failed',
    problem: { code: 'internal', message: expect.stringContaining('boom') as string },
  })
})
