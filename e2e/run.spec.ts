// A person quantizes the model that came with Signum, closes the window, and finds everything again.
import path from 'node:path'
import { bits, perplexity, size } from '../electron/contract/quantities.ts'
import { expect, test } from './app.ts'
import { demoModel, recipeOf } from './runs.ts'
import { asked, goTo, reportIn, untilNewestIs } from './steps.ts'

test('first start: the demo model is there, nothing was run, and Start is enough', async ({ launch }) => {
  const { page, data } = await launch()
  await expect(page.getByRole('heading', { name: 'Models', level: 1 })).toBeVisible()
  await expect(page.getByRole('button', { name: /signum-stories-4m/ })).toBeVisible()
  await goTo(page, 'Runs')
  await expect(page.getByText('Nothing was run yet')).toBeVisible()
  await goTo(page, 'Models')
  await page.getByRole('button', { name: 'Quantize' }).click()
  const start = page.getByRole('button', { name: /^Start/ })
  await expect(start).toBeEnabled()
  await start.click()
  // The run's own page opens, and becomes its result.
  await expect(page.getByRole('heading', { name: 'Runs', level: 1 })).toBeVisible()
  const id = await untilNewestIs(page, 'finished')
  const report = await reportIn(path.join(data, 'runs', String(id)))
  expect(report.recipe.method).toBe('signum-rc')
  const main = page.getByRole('main')
  for (const value of Object.values(report.bits)) await expect(main.getByText(bits(value)).first()).toBeVisible()
  await expect(main.getByText(size(report.sizes.file_bytes)).first()).toBeVisible()
  const { packed, original } = report.perplexity[0]!
  for (const measured of [packed, original]) {
    const [value = ''] = perplexity(measured).split(' ')
    await expect(main.getByText(value).first()).toBeVisible()
  }
})

test('closed and opened again: the run is still there, and so is the place', async ({ launch }) => {
  const first = await launch()
  await goTo(first.page, 'New run')
  await first.page.getByRole('button', { name: /^Start/ }).click()
  const id = await untilNewestIs(first.page, 'finished')
  const before = await asked(first.page, 'run', { id })
  await goTo(first.page, 'Compare')
  await expect(first.page.getByRole('heading', { name: 'Compare', level: 1 })).toBeVisible()
  await first.close()

  const { page } = await launch()
  await expect(page.getByRole('heading', { name: 'Compare', level: 1 })).toBeVisible()
  expect(await asked(page, 'run', { id })).toEqual(before)
  await goTo(page, 'Runs')
  await expect(page.getByText('Finished').first()).toBeVisible()
})

test('several recipes run one after another, in order', async ({ launch }) => {
  const { page } = await launch()
  const model = (await asked(page, 'library', {}))[0]!.folder
  const names = ['first', 'second', 'third']
  const ids: number[] = []
  for (const name of names) {
    const recipe = { signum_recipe: 1 as const, method: 'rtn' as const }
    ids.push(await asked(page, 'enqueue', { model, recipe, name, threads: 1 }))
  }
  await goTo(page, 'Runs')
  const finished = async () => (await asked(page, 'runs', {})).filter(({ status }) => status === 'finished')
  await expect.poll(async () => (await finished()).length, { timeout: 45_000 }).toBe(ids.length)
  const order = (await finished()).toSorted((a, b) => a.finished_at! - b.finished_at!).map(({ id }) => id)
  expect(order).toEqual(ids)
  for (const name of names) await expect(page.getByText(name).first()).toBeVisible()
})

test('a window that is closed while a run is at work asks, and what is finished is kept', async ({ launch }) => {
  const first = await launch()
  const heard = await first.app.evaluateHandle(({ dialog }) => {
    const questions: string[] = []
    dialog.showMessageBox = ((_window: unknown, { message, buttons }: Electron.MessageBoxOptions) => {
      questions.push(`${message} ${buttons?.join(' | ')}`)
      // The first time the person stays, the second time the run may stop.
      return Promise.resolve({ response: questions.length === 1 ? 1 : 0, checkboxChecked: false })
    }) as typeof dialog.showMessageBox
    return questions
  })
  const recipe = recipeOf({ method: 'arb-rc', sequences: 46, parameters: { iterations: 100 } })
  const id = await asked(first.page, 'enqueue', { model: demoModel, recipe, name: 'long', threads: 1 })
  await untilNewestIs(first.page, 'running')
  const close = () => first.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.close())
  await close()
  await expect.poll(() => heard.evaluate((questions) => questions.length)).toBe(1)
  expect((await asked(first.page, 'run', { id })).status).toBe('running')
  await first.close()

  const { page } = await launch()
  expect((await asked(page, 'run', { id })).status).toBe('stopped')
  await goTo(page, 'Runs')
  await page.getByRole('button', { name: 'Resume' }).click()
  await untilNewestIs(page, 'finished')
})
