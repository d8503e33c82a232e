// A person queues a grid of recipes in one go, and looks at what each will cost before.
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { bits, size } from '../electron/contract/quantities.ts'
import { expect, test } from './app.ts'
import { asked, goTo, reportIn } from './steps.ts'

const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true })
const sizes = (page: Page) => page.getByRole('textbox', { name: 'Sizes' })
const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })

async function open(page: Page): Promise<void> {
  await goTo(page, 'New run')
  await field(page, 'Sequences').fill('8')
  await page.getByText('Sweep', { exact: true }).click()
  await expect(page.getByRole('region', { name: 'Recipes of the sweep' })).toBeVisible()
}

test('four recipes are queued, named by what differs, and come to what was said', async ({ launch }) => {
  const { page, data } = await launch()
  await open(page)
  await page.getByRole('combobox', { name: 'Parameter 1' }).selectOption('second_plane')
  await field(page, 'Values 1').fill('0, 0.5')
  await page.getByRole('button', { name: 'Parameter', exact: true }).click()
  await page.getByRole('combobox', { name: 'Parameter 2' }).selectOption('refits')
  await field(page, 'Values 2').fill('0..2')
  await expect(page.getByRole('row')).toHaveCount(1 + 6)
  for (const name of ['second_plane=0 refits=1', 'second_plane=0.5 refits=1']) {
    await row(page, name).getByRole('checkbox').uncheck()
  }
  const wanted = row(page, 'signum-rc second_plane=0.5 refits=2')
  await expect(wanted).toContainText('MB')
  const said = await wanted.getByRole('cell').allInnerTexts()
  await expect(page.getByText(/^4 runs: about .* of files of .* free$/)).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().include('main').analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`)).toEqual([])

  await field(page, 'Names begin with, and tag').fill('planes')
  await page.getByRole('button', { name: 'Queue 4 runs' }).click()
  await expect(page.getByText('4 runs are queued.')).toBeVisible()
  const finished = async () =>
    (await asked(page, 'runs', {})).filter(({ status }) => status === 'finished').map(({ name }) => name)
  await expect.poll(finished, { timeout: 45_000, intervals: [300] }).toHaveLength(4)
  expect((await finished()).toSorted()).toEqual([
    'planes signum-rc second_plane=0 refits=0',
    'planes signum-rc second_plane=0 refits=2',
    'planes signum-rc second_plane=0.5 refits=0',
    'planes signum-rc second_plane=0.5 refits=2',
  ])
  const runs = await asked(page, 'runs', {})
  expect(runs.every(({ tags }) => tags.includes('planes'))).toBe(true)
  const last = runs.find(({ name }) => name.endsWith('second_plane=0.5 refits=2'))!
  const report = await reportIn(path.join(data, 'runs', String(last.id)))
  const { nominal, linear, file } = report.bits
  expect(said.slice(2, 6)).toEqual([bits(nominal), bits(linear), bits(file), size(last.file_bytes!)])
  expect(report.recipe.calibration).toMatchObject({ sequences: 8 })
})

test('what cannot be is marked with why; budgets choose parameters; all can be cancelled', async ({ launch }) => {
  test.setTimeout(120_000)
  const { page } = await launch()
  await open(page)
  for (const title of ['BiLLM', 'Round to nearest'])
    await page.getByRole('checkbox', { name: title, exact: true }).check()
  await page.getByRole('combobox', { name: 'Parameter 1' }).selectOption('damping')
  await field(page, 'Values 1').fill('0.01, 7')
  await expect(page.getByText('7: must be a number from')).toBeVisible()
  await field(page, 'Values 1').fill('0.01')
  await sizes(page).fill('2.3, 2.7')
  await expect(row(page, 'billm damping=0.01 2.3bpw')).toContainText('BiLLM cannot get below 2.44 linear bits.')
  await expect(row(page, 'signum-rc damping=0.01 2.3bpw')).toContainText('MB')
  await expect(row(page, 'billm damping=0.01 2.3bpw').getByRole('checkbox')).toBeDisabled()
  await expect(page.getByText('1 cannot be.')).toBeVisible()

  // Some hundred recipes are no trouble.
  await page.getByRole('button', { name: 'Remove parameter 1' }).click()
  await sizes(page).fill('')
  await page.getByRole('button', { name: 'Parameter', exact: true }).click()
  await page.getByRole('combobox', { name: 'Parameter 1' }).selectOption('seed')
  await page.getByRole('checkbox', { name: 'Round to nearest', exact: true }).uncheck()
  await field(page, 'Values 1').fill('0..149')
  await expect(page.getByRole('row')).toHaveCount(1 + 300)
  await expect(page.getByText(/^300 runs: about/)).toBeVisible({ timeout: 30_000 })
  await page.getByRole('button', { name: 'Queue 300 runs' }).click()
  await expect(page.getByText('300 runs are queued.')).toBeVisible({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Cancel all' }).click()
  const left = async () => {
    const { running, waiting } = await asked(page, 'queue', {})
    return waiting.length + running.length
  }
  await expect.poll(left, { timeout: 30_000, intervals: [300] }).toBe(0)
})
