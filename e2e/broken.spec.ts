// What goes wrong: a model that cannot be used, a worker that dies.
import { createHash } from 'node:crypto'
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from './app.ts'
import { demoModel, recipeOf, runsBefore } from './runs.ts'
import { asked, chooseInDialog, goTo, untilNewestIs } from './steps.ts'

test('a broken model folder gives its sentence, and no run can be started with it', async ({ launch }, info) => {
  const { app, page } = await launch()
  const folder = info.outputPath('half-a-model')
  await cp(demoModel, folder, { recursive: true })
  await truncate(path.join(folder, 'model.safetensors'), 100_000)
  await chooseInDialog(app, folder)
  await page.getByRole('button', { name: 'Add a folder' }).click()
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('model.safetensors')
  await expect(alert).toContainText('shard_broken')
  await expect(page.getByText('cannot be used').first()).toBeVisible()
  await expect(page.getByRole('button', { name: 'Quantize' })).toBeDisabled()
})

test('a folder without a model says what a model is', async ({ launch }, info) => {
  const { app, page } = await launch()
  await chooseInDialog(app, path.dirname(info.outputPath('nothing')))
  await page.getByRole('button', { name: 'Add a folder' }).click()
  await expect(page.getByRole('alert')).toContainText('config.json')
})

test('a worker killed in the middle: the run says so, is resumed, and ends with the same bytes', async ({ launch }) => {
  const wish = { method: 'arb-rc', sequences: 32, parameters: { iterations: 60 } } as const
  const { page, data } = await launch({ before: runsBefore(wish) })
  await page.evaluate(() => {
    const heard = window as unknown as { worker: Promise<number> }
    heard.worker = new Promise((resolve) => {
      let pid = 0
      window.signum.on((event) => {
        const { event: line } = event as { event?: { event: string; pid: number } }
        if (line?.event === 'started') pid = line.pid
        if (line?.event === 'saved') resolve(pid)
      })
    })
  })
  const id = await asked(page, 'enqueue', {
    model: demoModel,
    recipe: recipeOf(wish),
    name: 'to be killed',
    threads: 1,
  })
  await goTo(page, 'Runs')
  await page.getByText('to be killed').first().click()
  const pid = await page.evaluate(() => (window as unknown as { worker: Promise<number> }).worker)
  process.kill(pid, 'SIGKILL')
  await untilNewestIs(page, 'failed')
  await expect(page.getByRole('alert')).toContainText('worker_crashed')
  expect((await asked(page, 'run', { id })).finished_layers).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Resume' }).click()
  await untilNewestIs(page, 'finished')
  await expectFinished(page)
  const packed = (run: number) => hashes(path.join(data, 'runs', String(run), 'packed'))
  expect(await packed(id)).toEqual(await packed(1))
})

const expectFinished = (page: Page) => expect(page.getByRole('main').getByText('Perplexity').first()).toBeVisible()

async function hashes(folder: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {}
  for (const name of await readdir(folder)) {
    all[name] = createHash('sha256')
      .update(await readFile(path.join(folder, name)))
      .digest('hex')
  }
  expect(Object.keys(all).length).toBeGreaterThan(4)
  return all
}

test('a damaged history is said, and touched by nobody', async ({ launch }) => {
  const wreck = 'this is not a database, and must still be here afterwards'
  const { page, data } = await launch({
    before: async (workbench, folder) => {
      await workbench.close()
      for (const end of ['', '-wal', '-shm']) await rm(path.join(folder, `history.db${end}`), { force: true })
      await writeFile(path.join(folder, 'history.db'), wreck)
    },
  })
  await expect(page.getByRole('heading', { name: 'The history cannot be opened' })).toBeVisible()
  await expect(page.getByRole('alert')).toContainText('history_unavailable')
  // While it is as it was, trying again says the same.
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByRole('alert')).toContainText('history_unavailable')
  await page.getByRole('button', { name: 'Diagnostics' }).click()
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible()
  expect(await readFile(path.join(data, 'history.db'), 'utf8')).toBe(wreck)
  // Seen to, it is opened without a new start, and runs can be made.
  await rm(path.join(data, 'history.db'))
  await goTo(page, 'Runs')
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(page.getByText('Nothing was run yet')).toBeVisible()
  const recipe = { signum_recipe: 1 as const, method: 'rtn' as const }
  await asked(page, 'enqueue', { model: demoModel, recipe, name: 'after all', threads: 1 })
  await untilNewestIs(page, 'finished')
})

test('without its worker the window says so, and still shows what was made', async ({ launch }) => {
  const before = runsBefore({ method: 'billm', name: 'made before' })
  const { page } = await launch({ before, environment: { SIGNUM_WORKER: '/nowhere/signum-worker' } })
  await expect(page.getByRole('alert')).toContainText('worker_missing')
  await expect(page.getByRole('heading', { name: 'No device is at hand' })).toBeVisible()
  await goTo(page, 'New run')
  await expect(page.getByRole('heading', { name: 'No device is at hand' })).toBeVisible()
  await page.getByRole('button', { name: 'Diagnostics' }).click()
  await expect(page.getByText('/nowhere/signum-worker').first()).toBeVisible()
  await goTo(page, 'Layers')
  await expect(page.getByTestId('matrix')).toHaveAttribute('data-state', 'ready')
})
