// Every view, light and dark, held against the rules that a machine can check (axe): names, roles, contrast, order.
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { asked, goTo } from './steps.ts'

async function expectAccessible(page: Page, view: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  const found = violations.map(({ id, nodes }) => `${view}, ${id}: ${nodes.map(({ html }) => html).join('; ')}`)
  expect(found).toEqual([])
}

for (const theme of ['light', 'dark'] as const) {
  test(`every view can be used by everyone, ${theme}`, async ({ launch }) => {
    // Every view, panel and dialog in one story: each is held against some ninety rules.
    test.setTimeout(180_000)
    const before = runsBefore({ method: 'rtn', name: 'first' }, { method: 'billm', name: 'second' })
    const { page } = await launch({ settings: { theme }, before })
    for (const view of ['Models', 'New run', 'Runs', 'Layers', 'Lab', 'Compare', 'Prompt', 'Settings']) {
      await goTo(page, view)
      await expect(page.getByRole('heading', { name: view, level: 1 })).toBeVisible()
      if (view === 'New run') {
        for (const part of ['Sweep', 'One run', 'Saved recipes']) {
          await page.getByText(part, { exact: true }).click()
          await page.waitForTimeout(300)
          await expectAccessible(page, `${view}, ${part}`)
        }
      }
      if (view === 'Layers') {
        await expect(page.getByTestId('matrix')).toHaveAttribute('data-state', 'ready')
        for (const panel of ['Along the edges', 'Salient columns', 'Worst blocks'])
          await page.getByRole('button', { name: panel, exact: true }).click()
        await page.keyboard.press('w')
        await expect(page.getByTestId('block')).toBeVisible()
        await expectAccessible(page, `${view}, panels`)
        await page.getByRole('radio', { name: 'Difference' }).check()
        await expect(page.getByTestId('difference')).toBeVisible()
      }
      if (view === 'Lab') {
        await expect(page.getByTestId('matrix')).toHaveCount(3, { timeout: 30_000 })
      }
      if (view === 'Compare') {
        const rows = page.locator('[role=row][data-run]')
        await rows.first().click({ position: { x: 120, y: 15 } })
        await page.keyboard.press('b')
        await page.keyboard.press('Space')
        await rows.last().getByRole('checkbox').check()
        await page.getByRole('button', { name: 'Numbers' }).click()
        await page.getByLabel('Group', { exact: true }).selectOption('method')
        await page.getByRole('combobox', { name: /Filter/ }).fill('metod:x ')
        await expect(page.getByText(/did you mean method/)).toBeVisible()
        await expectAccessible(page, 'Compare, grouped')
        await page.getByRole('combobox', { name: /Filter/ }).fill('')
        await page.keyboard.press('Escape')
      }
      if (view === 'Runs') {
        await page.getByRole('button', { name: 'Export', exact: true }).click()
        await expect(page.getByRole('complementary', { name: 'Export' })).toBeVisible()
        for (const section of ['By depth', 'Sensitivity', 'Recipe', 'Log', 'Bytes']) {
          await page.getByRole('tab', { name: section }).click()
          await page.waitForTimeout(300)
          await expectAccessible(page, `${view}, ${section}`)
        }
        await expect(page.getByText('Where the bytes go')).toBeVisible()
        await page.getByRole('tab', { name: 'Overview' }).click()
        await page.getByRole('button', { name: 'Where it fails' }).click()
        await expect(page.getByText(/^token \d+ at/)).toBeVisible()
        await page.waitForTimeout(300)
        await expectAccessible(page, 'Where it fails')
        await goTo(page, view)
      }
      if (view === 'Prompt') {
        await page.getByRole('button', { name: 'Start' }).click()
        await expect(page.getByText(/^\d+ tokens, /)).toHaveCount(2, { timeout: 20_000 })
      }
      // What fades or slides in has its colours only when it is there.
      await page.waitForTimeout(400)
      await expectAccessible(page, view)
    }
    await page.keyboard.press('Control+k')
    await expect(page.getByRole('dialog', { name: 'Command palette' })).toBeVisible()
    await expectAccessible(page, 'palette')
    await page.keyboard.press('Escape')
    await page.keyboard.press('F1')
    await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible()
    await expectAccessible(page, 'keyboard')
    await page.keyboard.press('Escape')
    await asked(page, 'changeSettings', { tour: 0 })
    await expect(page.getByRole('region', { name: 'Tour' })).toBeVisible()
    await expectAccessible(page, 'tour')
    await asked(page, 'changeSettings', { tour: 'over' })
    await goTo(page, 'Compare')
    for (const run of [1, 2]) await page.locator(`[role=row][data-run="${run}"]`).getByRole('checkbox').check()
    for (const tab of ['Parallel coordinates', 'Error by depth', 'Recipes', 'Size against quality']) {
      await page.getByRole('tab', { name: tab }).click()
      await page.waitForTimeout(400)
      await expectAccessible(page, `Compare, ${tab}`)
    }
    await page.getByRole('button', { name: /^Save or read/ }).click()
    await expect(page.getByRole('menuitem', { name: 'Save as PNG' })).toBeVisible()
    await expectAccessible(page, 'menu of a chart')
    await page.getByRole('menuitem', { name: 'Show the numbers' }).click()
    await expectAccessible(page, 'numbers of a chart')
    await page.getByRole('button', { name: 'Side by side' }).click()
    await expect(page.getByTestId('matrix')).toHaveCount(2)
    await expectAccessible(page, 'side by side')
  })
}
