import { expect, test } from 'vitest'
import type { TrialOwner } from '../contract/pictures.ts'
import { Slots } from './slots.ts'

function recording() {
  const removed: TrialOwner[] = []
  const slots = new Slots((owner) => {
    removed.push(owner)
    return Promise.resolve()
  })
  return { slots, removed }
}

test('a newer trial cancels the older one of its slot, and no other', async () => {
  const { slots, removed } = recording()
  const [first, other, newer] = [slots.begin(0), slots.begin(1), slots.begin(0)]
  expect([first, other, newer].map(({ signal }) => signal.aborted)).toEqual([true, false, false])
  expect(new Set([first.trial, other.trial, newer.trial]).size).toBe(3)
  expect([first.keep(), newer.keep(), other.keep()]).toEqual([false, true, true])
  for (const turn of [first, other, newer]) await turn.end()
  expect(removed).toEqual([first.name])
})

test('the trial before the last stays until there is a newer one; one that failed goes at once', async () => {
  const { slots, removed } = recording()
  const names: string[] = []
  for (let k = 0; k < 4; k++) {
    const turn = slots.begin(3)
    names.push(turn.name)
    if (k !== 2) turn.keep()
    await turn.end()
  }
  expect(removed).toEqual([names[2], names[0]])
  await slots.clear()
  expect(removed).toEqual([names[2], names[0], names[1], names[3]])
})

test('whoever gives up cancels the trial; clearing waits for those under way', async () => {
  const { slots, removed } = recording()
  const cancel = new AbortController()
  const turn = slots.begin(0, cancel.signal)
  cancel.abort()
  expect(turn.keep()).toBe(false)
  let cleared = false
  const clearing = slots.clear().then(() => (cleared = true))
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(cleared).toBe(false)
  await turn.end()
  await clearing
  expect(removed).toEqual([turn.name])
})
