// A person asks the original and a packed model the same, and sees where they part.
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { asked, goTo } from './steps.ts'

const shelf = runsBefore(
  { method: 'rtn', name: 'two bits', parameters: { bits: 2 } },
  { method: 'rtn', name: 'eight bits', parameters: { bits: 8 } },
)

test('one prompt, two models, the same seed: what differs is marked', async ({ launch }) => {
  const { page, app } = await launch({ before: shelf })
  await goTo(page, 'Runs')
  await page.getByRole('button', { name: /two bits/ }).click()
  await page.getByRole('button', { name: 'Prompt this model beside its original' }).click()
  const original = page.getByRole('region', { name: /^Text of signum-stories/ })
  const packed = page.getByRole('region', { name: 'Text of two bits' })
  await expect(packed).toBeVisible()
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('Once upon a time')
  await page.getByLabel('Tokens', { exact: true }).fill('40')
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).press('Control+Enter')
  await expect(page.getByText('40 tokens, as many as asked for')).toHaveCount(2, { timeout: 30_000 })
  await expect(original).toContainText('Once upon a time')
  expect(await original.locator('mark').count()).toBe(0)
  expect(await packed.locator('mark').count()).toBeGreaterThan(0)
  await expect(page.getByText(/of 40 tokens differ, from token \d+/)).toBeVisible()
  // The same again: the same text.
  const before = await original.textContent()
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.getByRole('button', { name: 'Start' })).toBeVisible({ timeout: 30_000 })
  expect(await original.textContent()).toBe(before)
  await page.getByRole('button', { name: 'Copy all' }).click()
  await expect(page.getByText('Copied')).toBeVisible()
  const text = await app.evaluate(({ clipboard }) => clipboard.readText())
  expect(text).toContain('Prompt (temperature 0.8, top-k 40, top-p 0.95, seed 1):\nOnce upon a time\n')
  const [run] = (await asked(page, 'runs', {})).filter(({ name }) => name === 'two bits')
  expect(text).toContain(`two bits: `)
  expect(text).toContain(`${run!.linear_bits!.toFixed(2)} linear`)
})

test('a text can be stopped, and runs come here from the table', async ({ launch }) => {
  const { page } = await launch({ before: shelf })
  await goTo(page, 'Compare')
  for (const run of [1, 2]) await page.locator(`[role=row][data-run="${run}"]`).getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Prompt', exact: true }).last().click()
  await expect(page.getByRole('region', { name: 'Text of two bits' })).toBeVisible()
  await expect(page.getByRole('region', { name: 'Text of eight bits' })).toBeVisible()
  await page.getByLabel('Top-p', { exact: true }).fill('2')
  await expect(page.getByRole('button', { name: 'Start' })).toBeDisabled()
  await page.getByLabel('Top-p', { exact: true }).fill('1')
  await page.getByText('Together').click()
  await page.getByLabel('Tokens', { exact: true }).fill('100000')
  await page.getByRole('button', { name: 'Start' }).click()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Start' })).toBeVisible()
})
