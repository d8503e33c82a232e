// A person learns what methods do to one linear before spending a run on them.
import path from 'node:path'
import type { Page } from '@playwright/test'
import { bits, size } from '../electron/contract/quantities.ts'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { goTo, reportIn } from './steps.ts'

const card = (page: Page, letter: string) => page.getByRole('region', { name: new RegExp(`^Recipe ${letter},`) })
const number = (page: Page, letter: string, id: string) => card(page, letter).locator(`[data-number=${id}] .value`)
const delta = (page: Page, letter: string, id: string) => card(page, letter).locator(`[data-number=${id}] .delta`)
/** What is asked for is there. */
const settled = (page: Page, letter: string) =>
  expect(card(page, letter).locator('dl.stale, .picture .stale')).toHaveCount(0, { timeout: 20_000 })

async function onTheTable(page: Page): Promise<void> {
  for (const letter of ['A', 'B', 'C']) {
    await expect(number(page, letter, 'bytes')).toBeVisible({ timeout: 60_000 })
    await settled(page, letter)
  }
}

test('from the map of a model to a recipe that is worth a run', async ({ launch }) => {
  const { page, data } = await launch({
    size: { width: 1280, height: 800 },
    // The text of the run, so that its numbers can be compared; billm corrects nothing, so inputs are the original's in both.
    before: runsBefore({ method: 'billm' }),
  })
  const report = await reportIn(path.join(data, 'runs', '1'))
  const layer = report.layers.find(({ name }) => name === 'model.layers.0.mlp.up_proj')!

  await page
    .getByRole('grid', { name: /28 linears/ })
    .getByRole('gridcell', { name: /^Layer 0, up,/ })
    .click()
  await expect(page.getByRole('heading', { name: 'Lab', level: 1 })).toBeVisible()
  await expect(page.getByRole('button', { name: /Layer 0, up/ })).toBeVisible()
  await onTheTable(page)
  await page.getByRole('combobox', { name: 'Calibration text' }).selectOption({ label: 'calibration-stories' })
  await page.getByRole('combobox', { name: 'Sequences' }).selectOption({ label: '8 × 256 tokens' })
  await expect(page.getByText('2,048 tokens', { exact: true })).toBeVisible({ timeout: 30_000 })
  await onTheTable(page)

  // The attention before it is quantized in a run, so its inputs are others there; its weights and sizes are the same.
  await expect(number(page, 'A', 'nominal_bits')).toContainText(bits(layer.nominal_bits))
  await page.getByRole('button', { name: /Layer 0, up/ }).click()
  await page.getByRole('gridcell', { name: /^Layer 0, q,/ }).click()
  await expect(page.getByRole('button', { name: /Layer 0, q/ })).toBeVisible()
  await onTheTable(page)
  // Nothing comes before this one: what the run got is what the lab gets.
  const first = report.layers.find(({ name }) => name === 'model.layers.0.self_attn.q_proj')!
  await expect(number(page, 'A', 'output_error')).toContainText(first.relative_output_error!.toFixed(4))
  await expect(number(page, 'A', 'weight_error')).toContainText(first.relative_weight_error!.toFixed(4))
  await expect(number(page, 'A', 'linear_bits')).toContainText(bits(first.linear_bits))
  await expect(number(page, 'A', 'bytes')).toContainText(size(first.bytes))

  // One plane instead of two: fewer bits, more error, against the first card and against before.
  const before = Number.parseFloat((await number(page, 'C', 'output_error').textContent())!)
  await expect(number(page, 'C', 'nominal_bits')).toContainText('2.00')
  await card(page, 'C').getByRole('slider', { name: 'second_plane, by hand' }).focus()
  await page.keyboard.press('Home')
  await expect(number(page, 'C', 'nominal_bits')).toContainText('1.00')
  await settled(page, 'C')
  expect(Number.parseFloat((await number(page, 'C', 'output_error').textContent())!)).toBeGreaterThan(before)
  await expect(delta(page, 'C', 'nominal_bits')).toHaveText(`−${bits(first.nominal_bits - 1)}`)
  await expect(number(page, 'C', 'nominal_bits')).toContainText('best of these')

  // One picture for all, under one camera.
  await page.getByText('Error', { exact: true }).click()
  const matrices = page.getByTestId('matrix')
  await expect(matrices).toHaveCount(3)
  for (let k = 0; k < 3; k++) {
    await expect(matrices.nth(k)).toHaveAttribute('data-kind', 'error')
    await expect(matrices.nth(k)).toHaveAttribute('data-state', 'ready', { timeout: 20_000 })
  }
  await matrices.first().hover()
  await page.mouse.wheel(0, -600)
  const cells = () => Promise.all([0, 1, 2].map((k) => matrices.nth(k).getAttribute('data-cell')))
  await expect.poll(async () => new Set(await cells()).size).toBe(1)

  // What was found goes into a run, and the table stays as it is.
  await card(page, 'C').getByRole('button', { name: 'Use this recipe' }).click()
  await expect(page.getByRole('heading', { name: 'New run', level: 1 })).toBeVisible()
  await expect(page.getByLabel('second_plane').first()).toHaveValue('0')
  await expect(page.getByText('Method and parameters are those of recipe C of the lab.')).toBeVisible()
  await goTo(page, 'Lab')
  await expect(number(page, 'C', 'nominal_bits')).toContainText('1.00')
  await expect(page.getByRole('button', { name: /Layer 0, q/ })).toBeVisible()
})

test('up to six recipes; what cannot be is said at its field and changes nothing', async ({ launch }) => {
  const { page } = await launch({ size: { width: 1280, height: 800 }, settings: { place: { view: 'lab' } } })
  await onTheTable(page)
  await page.getByRole('button', { name: 'All methods' }).click()
  for (const letter of ['D', 'E', 'F']) await expect(number(page, letter, 'bytes')).toBeVisible({ timeout: 30_000 })
  await expect(page.getByRole('button', { name: 'Add a recipe' })).toBeDisabled()

  const a = card(page, 'A')
  const bytes = await number(page, 'A', 'bytes').textContent()
  await a.getByLabel('damping', { exact: true }).fill('7')
  await expect(a.getByText('Must be a number from 0.000001 to 1.')).toBeVisible()
  await expect(a.getByRole('button', { name: 'Use this recipe' })).toBeDisabled()
  expect(await number(page, 'A', 'bytes').textContent()).toBe(bytes)
  await a.getByLabel('damping', { exact: true }).fill('0.02')
  await expect(a.getByRole('button', { name: 'Use this recipe' })).toBeEnabled()
  await settled(page, 'A')

  await page.getByRole('button', { name: 'Remove recipe F' }).click()
  await expect(card(page, 'F')).toHaveCount(0)
  await page.getByRole('button', { name: 'Duplicate recipe A' }).click()
  await expect(card(page, 'F')).toBeVisible()
  await expect(card(page, 'F').getByLabel('damping', { exact: true })).toHaveValue('0.02')

  // Without a text there are no outputs to compare, and a method that must have one says so.
  await page.getByRole('combobox', { name: 'Calibration text' }).selectOption({ label: 'No text: weights alone' })
  await expect(page.getByText('no text: no output errors')).toBeVisible({ timeout: 30_000 })
  await expect(card(page, 'D').locator('[data-number=output_error] .value')).toHaveText('–', { timeout: 30_000 })
  await expect(a.getByRole('alert')).toContainText('calibration')
})
