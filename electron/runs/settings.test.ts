import { expect, test } from 'vitest'
import { settingChangesSchema, standardSettings } from '../contract/settings.ts'
import { historyIn, newFolder } from '../history/testing/open.ts'
import type { Context } from './context.ts'
import { changeSettings, readSettings, settings } from './settings.ts'

async function empty() {
  const data = newFolder()
  const history = await historyIn(data)
  const context = { history: () => Promise.resolve({ ok: true, value: history }) } as unknown as Context
  return { context, history, data }
}

test('what was not set has its default, and what was set is found again by the next process', async () => {
  const { context, history, data } = await empty()
  expect(await settings(context)).toEqual({ kind: 'finished', value: standardSettings })
  const changed = await changeSettings(context, { theme: 'dark', baseline: 7 })
  expect(changed).toEqual({ kind: 'finished', value: { ...standardSettings, theme: 'dark', baseline: 7 } })
  history.close()
  expect(readSettings(await historyIn(data))).toMatchObject({ theme: 'dark', baseline: 7, threads: 0 })
})

test('a setting can be taken back, and one that no longer fits counts as not set', async () => {
  const { context, history } = await empty()
  await changeSettings(context, { baseline: 7 })
  await changeSettings(context, { baseline: null })
  history.settings.set('theme', 'purple')
  expect(readSettings(history)).toEqual(standardSettings)
})

test('changes hold only what is changed, and nothing unknown', () => {
  expect(settingChangesSchema.parse({ theme: 'light' })).toEqual({ theme: 'light' })
  expect(settingChangesSchema.safeParse({ theme: 'purple' }).success).toBe(false)
  expect(settingChangesSchema.safeParse({ colour: 'red' }).success).toBe(false)
})
