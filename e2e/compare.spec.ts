// A person compares two runs: numbers against a pinned baseline, then the same layer of both, side by side.
import type { Page } from '@playwright/test'
import { bits, perplexity, size } from '../electron/contract/quantities.ts'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { asked, goTo } from './steps.ts'

const shelf = runsBefore(
  { method: 'rtn', name: 'two bits', parameters: { bits: 2 } },
  { method: 'rtn', name: 'three bits', parameters: { bits: 3 } },
)
const row = (page: Page, run: number) => page.locator(`[role=row][data-run="${run}"]`)

test('the table has what the runs report, and deltas against the baseline', async ({ launch }) => {
  const { page } = await launch({ before: shelf })
  await goTo(page, 'Compare')
  for (const run of await asked(page, 'runs', {})) {
    const cells = row(page, run.id)
    await expect(cells).toContainText(run.name)
    await expect(cells).toContainText(bits(run.linear_bits!))
    await expect(cells).toContainText(size(run.file_bytes!))
    const packed = run.metrics.find(({ subject }) => subject === 'packed')!
    await expect(cells).toContainText(perplexity(packed))
  }
  const [three, two] = await asked(page, 'runs', {})
  await row(page, two!.id).hover()
  await row(page, two!.id).getByRole('button', { name: 'Baseline' }).click()
  const more = three!.linear_bits! - two!.linear_bits!
  await expect(row(page, three!.id)).toContainText(bits(more))
  await expect.poll(async () => (await asked(page, 'settings', {})).baseline).toBe(two!.id)
  // Both are runs of one method: that column says nothing about their difference.
  await expect(page.getByRole('columnheader', { name: 'Method' })).toBeVisible()
  await page.getByText('Only differences').click()
  await expect(page.getByRole('columnheader', { name: 'Method' })).toBeHidden()
  await expect(page.getByRole('columnheader', { name: /File size/ })).toBeVisible()
  await expect(page.getByRole('img', { name: /perplexity/i })).toBeVisible()
})

test('two runs side by side: what one matrix does, the other does', async ({ launch }) => {
  const { page } = await launch({ before: shelf })
  await goTo(page, 'Compare')
  for (const run of [1, 2]) await row(page, run).getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Side by side' }).click()
  const matrices = page.getByTestId('matrix')
  await expect(matrices).toHaveCount(2)
  for (const k of [0, 1]) await expect(matrices.nth(k)).toHaveAttribute('data-state', 'ready', { timeout: 20_000 })
  await expect(page.getByText('bits', { exact: true }).first()).toBeVisible()
  const view = (k: number) =>
    matrices.nth(k).evaluate((canvas) => ['cell', 'left', 'top'].map((name) => canvas.dataset[name]).join(' '))
  const before = await view(0)
  expect(await view(1)).toBe(before)
  const box = (await matrices.nth(0).boundingBox())!
  await page.mouse.move(box.x + box.width / 3, box.y + box.height / 3)
  await page.mouse.wheel(0, -600)
  await expect.poll(() => view(0)).not.toBe(before)
  await expect.poll(async () => (await view(1)) === (await view(0))).toBe(true)
  const zoomed = await view(0)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 5 })
  await page.mouse.up()
  await expect.poll(() => view(0)).not.toBe(zoomed)
  await expect.poll(async () => (await view(1)) === (await view(0))).toBe(true)
})
