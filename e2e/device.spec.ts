// A person lets a run compute on a card: an emulated one, whose worker `npm test` builds. And what is said where there is none.
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { size } from '../electron/contract/quantities.ts'
import { expect, test, type Options } from './app.ts'
import { demoModel, recipeOf } from './runs.ts'
import { asked, goTo, reportIn, untilNewestIs } from './steps.ts'

const worker = path.resolve(import.meta.dirname, '..', 'build', 'release', 'signum-worker-emulated')
const memory = 4_000_000_000
const emulated = (environment: Record<string, string> = {}): Options => ({
  size: { width: 1280, height: 800 },
  environment: {
    SIGNUM_CUDA_WORKER: worker,
    SIGNUM_EMULATED_DEVICES: '2',
    SIGNUM_EMULATED_MEMORY: String(memory),
    ...environment,
  },
})

test.describe('with cards', () => {
  test.skip(!existsSync(worker), 'signum-worker-emulated was not built')

  test('they are listed in Settings, and what a run may use of one can be limited', async ({ launch }) => {
    const { page } = await launch(emulated())
    await goTo(page, 'Settings')
    const cards = page.getByRole('list', { name: 'Cards' }).getByRole('listitem')
    await expect(cards).toHaveCount(2)
    await expect(cards.first()).toContainText(size(memory))
    await expect(page.getByRole('list', { name: 'Checks' })).toContainText('own kernels serve, slower')
    await cards.first().getByLabel('A run may use').fill('100')
    await expect(cards.first()).toContainText('From 0.5 to 4.0')
    await cards.first().getByLabel('A run may use').fill('1.5')
    const limits = async () => Object.values((await asked(page, 'settings', {})).deviceMemory)
    await expect.poll(limits).toEqual([1.5e9])
  })

  test('automatic says where a run goes and why, with what it takes there; a card can be chosen', async ({
    launch,
  }) => {
    const { page } = await launch(emulated())
    await goTo(page, 'New run')
    const device = page.getByLabel('Device', { exact: true })
    await expect(device).toHaveValue('auto')
    await expect(page.getByText('It fits on this card, which has the most free memory.')).toBeVisible()
    await expect(page.getByRole('meter', { name: 'Memory of the card' })).toBeVisible()
    await expect(page.getByText(/^activations on the card/)).toBeVisible()
    await expect(page.getByText('not known before a run has finished on this card')).toBeVisible()
    await device.selectOption('cuda:1')
    await expect(page.getByRole('group', { name: 'The line' })).toContainText('--device cuda:1')
    await device.selectOption('cpu')
    await expect(page.getByRole('meter', { name: 'Memory of the card' })).toBeHidden()
    await expect(page.getByText(/^rough estimate/)).toBeVisible()
  })

  test('a text is written on a card, the same as on the processor', async ({ launch }) => {
    const { page } = await launch(emulated())
    await goTo(page, 'Prompt')
    await page.getByLabel('Tokens', { exact: true }).fill('6')
    const text = page.getByRole('region', { name: 'signum-stories-4m (original)', exact: true })
    const texts: string[] = []
    for (const device of ['cpu', 'cuda:0']) {
      await page.getByLabel('Device', { exact: true }).selectOption(device)
      await page.getByRole('button', { name: 'Start' }).click()
      await expect(page.getByRole('button', { name: 'Stop' })).toBeHidden({ timeout: 30_000 })
      await expect(text).toContainText('6 tokens, as many as asked for')
      texts.push((await text.innerText()).match(/Once upon a time.*/)![0])
    }
    expect(texts[0]).not.toBe('Once upon a time')
    expect(texts[1]).toBe(texts[0])
  })

  // An evaluation takes minutes where every thread of a card is played by the processor: none here.
  const enqueue = (page: Page, method: 'rtn' | 'signum-rc', device: string) => {
    const recipe = { ...recipeOf({ method }), evaluations: [] }
    return asked(page, 'enqueue', { model: demoModel, recipe, name: `${method} on a card`, threads: 1, device })
  }

  test('a run on a card finishes, and everything says where it was', async ({ launch }) => {
    const { page, data } = await launch(emulated())
    const id = await enqueue(page, 'rtn', 'cuda:1')
    await goTo(page, 'Runs')
    await untilNewestIs(page, 'finished')
    const report = await reportIn(path.join(data, 'runs', String(id)))
    expect(report.device).toMatchObject({ id: 'cuda:1', precision: 'f32' })
    const { name } = report.device!
    await expect(page.getByRole('main')).toContainText(`on ${name} (cuda:1)`)
    expect(await asked(page, 'run', { id })).toMatchObject({ device: 'cuda:1', device_name: name, precision: 'f32' })
  })

  test('a run at work shows the memory of its card, holds up no run on another one, and goes on elsewhere', async ({
    launch,
  }) => {
    const { page } = await launch(emulated())
    const long = await enqueue(page, 'signum-rc', 'cuda:0')
    await goTo(page, 'Runs')
    const main = page.getByRole('main')
    await expect(main.getByText('Memory of the card')).toBeVisible({ timeout: 20_000 })
    await expect(main.getByText(/^of 4\.00 GB, at most .* so far$/)).toBeVisible({ timeout: 20_000 })
    const other = await enqueue(page, 'rtn', 'cuda:1')
    await untilNewestIs(page, 'finished')
    expect(await asked(page, 'queue', {})).toEqual({ running: [long], waiting: [], waits: [] })
    expect(other).toBe(long + 1)
    // One that wants the same card says what it waits for.
    const behind = await enqueue(page, 'rtn', 'cuda:0')
    await main.locator(`[data-run="${behind}"]`).click()
    await expect(main.getByText(`It waits for cuda:0, where run ${long} is at work.`)).toBeVisible()
    await asked(page, 'cancelRun', { id: behind })
    await asked(page, 'cancelRun', { id: long })
    await expect.poll(async () => (await asked(page, 'queue', {})).running, { timeout: 20_000 }).toEqual([])
    expect((await asked(page, 'run', { id: long })).device_peak_bytes).toBeGreaterThan(0)
    await main.locator(`[data-run="${long}"]`).click()
    await main.getByLabel('Resume on').selectOption('cpu')
    await main.getByRole('button', { name: 'Resume there' }).click()
    const ended = async () => (await asked(page, 'run', { id: long })).status
    await expect.poll(ended, { timeout: 45_000, intervals: [300] }).toBe('finished')
    expect(await asked(page, 'run', { id: long })).toMatchObject({ device: 'cpu', device_name: null, precision: null })
  })

  test('a run that does not fit goes to the processor, and says so before', async ({ launch }) => {
    const { page } = await launch(emulated({ SIGNUM_EMULATED_MEMORY: '1000000' }))
    await goTo(page, 'New run')
    await expect(page.getByText(/so it runs on the processor/)).toBeVisible()
    await page.getByLabel('Device', { exact: true }).selectOption('cuda:0')
    await expect(page.getByText(/Not yet: device/)).toBeVisible()
    await expect(page.getByRole('button', { name: /^Start/ })).toBeDisabled()
  })
})

test('without a GPU worker Settings say how to get one, and runs compute on the processor', async ({ launch }) => {
  const { page } = await launch({ environment: { SIGNUM_CUDA_WORKER: '' } })
  await goTo(page, 'Settings')
  await expect(page.getByRole('heading', { name: 'Runs compute on the processor' })).toBeVisible()
  await expect(
    page
      .getByRole('main')
      .getByText(/install the CUDA toolkit/)
      .first(),
  ).toBeVisible()
  await goTo(page, 'New run')
  await expect(page.getByLabel('Device', { exact: true }).getByRole('option')).toHaveCount(2)
  await expect(page.getByRole('meter', { name: 'Memory of the card' })).toBeHidden()
})
