// Pictures of every screen, dark and light, for the documents: `npm run screens`. Not a test: somebody has to look at them.
import path from 'node:path'
import type { Page } from '@playwright/test'
import { settingsSchema } from '../electron/contract/settings.ts'
import { expect, test } from './app.ts'
import { demoModel, recipeOf, runsBefore } from './runs.ts'
import { asked, goTo } from './steps.ts'

const folder = process.env['SIGNUM_SCREENS'] ?? path.resolve(import.meta.dirname, '..', 'docs', 'screens')
const size = { width: Number(process.env['SIGNUM_WIDTH'] ?? 1280), height: Number(process.env['SIGNUM_HEIGHT'] ?? 800) }

const shelf = runsBefore(
  { method: 'rtn', name: 'rtn, 2 bits', parameters: { bits: 2 } },
  { method: 'gptq', name: 'gptq, 2 bits', parameters: { bits: 2 }, sequences: 32 },
  { method: 'gptq', name: 'gptq, 3 bits', parameters: { bits: 3 }, sequences: 32 },
  { method: 'billm', name: 'billm', sequences: 32 },
  { method: 'arb-rc', name: 'arb-rc', sequences: 32 },
  { method: 'signum-rc', name: 'signum-rc, one plane', parameters: { second_plane: 0 }, sequences: 32 },
  { method: 'signum-rc', name: 'signum-rc, a quarter', parameters: { second_plane: 0.25 }, sequences: 32 },
  { method: 'signum-rc', name: 'signum-rc, two planes', parameters: { second_plane: 1 }, sequences: 32 },
)

const settled = (page: Page) => page.waitForTimeout(900)
async function ready(page: Page, count: number): Promise<void> {
  const matrices = page.getByTestId('matrix')
  await expect(matrices).toHaveCount(count)
  for (let k = 0; k < count; k++) {
    await expect(matrices.nth(k)).toHaveAttribute('data-state', 'ready', { timeout: 30_000 })
  }
}

/** A run that is long enough to be seen, after its second layer. */
async function atWork(page: Page): Promise<void> {
  await page.evaluate(() => {
    const heard = window as unknown as { second: Promise<void> }
    heard.second = new Promise((resolve) => {
      window.signum.on((event) => {
        const { event: line } = event as { event?: { event: string; layer: number } }
        if (line?.event === 'layer' && line.layer === 2) resolve()
      })
    })
  })
  const recipe = recipeOf({ method: 'arb-rc', parameters: { iterations: 100 }, sequences: 46 })
  await asked(page, 'enqueue', { model: demoModel, recipe, name: 'arb-rc, 100 rounds', threads: 1 })
  for (const bits of [4, 3]) {
    const next = recipeOf({ method: 'gptq', parameters: { bits }, sequences: 46 })
    await asked(page, 'enqueue', { model: demoModel, recipe: next, name: `gptq, ${bits} bits`, threads: 1 })
  }
  await goTo(page, 'Runs')
  await page.getByText('arb-rc, 100 rounds').first().click()
  await page.evaluate(() => (window as unknown as { second: Promise<void> }).second)
}

for (const theme of ['light', 'dark'] as const) {
  test(`screens, ${theme}`, async ({ launch }) => {
    test.setTimeout(240_000)
    const settings = settingsSchema.pick({ theme: true }).parse({ theme })
    const { page, app, data } = await launch({ settings, size, before: shelf })
    const shoot = async (name: string) => {
      await page.mouse.move(size.width - 4, size.height - 4)
      await settled(page)
      await page.screenshot({ path: path.join(folder, `${name}-${theme}.png`) })
    }
    await goTo(page, 'Models')
    await shoot('models')
    await goTo(page, 'New run')
    await page.waitForTimeout(1500)
    await shoot('new-run')
    await goTo(page, 'Runs')
    await page.getByText('signum-rc, two planes').first().click()
    await shoot('result')
    await goTo(page, 'Layers')
    await ready(page, 1)
    await page.getByRole('combobox', { name: 'Run' }).selectOption({ label: 'arb-rc' })
    await page.getByRole('main').getByRole('button', { name: 'Layers', exact: true }).click()
    await page.getByRole('switch', { name: 'Salient columns', exact: true }).check()
    await page.keyboard.press('Escape')
    await page.getByRole('radio', { name: 'Side by side' }).check()
    await ready(page, 2)
    await page
      .getByTestId('matrix')
      .first()
      .hover({ position: { x: 120, y: 120 } })
    await settled(page)
    await page.screenshot({ path: path.join(folder, `layers-${theme}.png`) })
    await goTo(page, 'Compare')
    await page.waitForTimeout(800)
    await page.locator('[role=row][data-run="5"]').getByRole('button', { name: 'Baseline' }).click()
    await shoot('compare')
    for (const run of [5, 8]) await page.locator(`[role=row][data-run="${run}"]`).getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Side by side' }).click()
    await ready(page, 2)
    await shoot('side-by-side')
    await goTo(page, 'Prompt')
    for (let k = 0; k < 2; k++) await page.getByRole('button', { name: 'Add a model' }).click()
    await page.getByRole('button', { name: 'Start' }).click()
    await expect(page.getByText(/^\d+ tokens, /)).toHaveCount(4, { timeout: 30_000 })
    await shoot('prompt')
    await goTo(page, 'Runs')
    await page.getByText('rtn, 2 bits').first().click()
    await page.getByRole('button', { name: 'Export', exact: true }).click()
    await app.evaluate(
      ({ dialog }, file) => {
        dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: file })
      },
      path.join(data, 'rtn-2-bits-fit.gguf'),
    )
    await page.getByRole('combobox', { name: 'Type' }).selectOption('fit')
    await page.getByRole('button', { name: 'Export…' }).click()
    await expect(page.getByRole('region', { name: 'Result' })).toBeVisible({ timeout: 30_000 })
    // A folder of this computer says nothing.
    await page.evaluate((folder) => {
      for (const one of document.querySelectorAll('aside .path')) one.textContent = one.textContent.replace(folder, '~')
    }, data)
    await shoot('export')
    await page.getByRole('button', { name: 'Close the export panel' }).click()
    await goTo(page, 'Settings')
    await shoot('settings')
    await atWork(page)
    await page.mouse.move(size.width - 4, size.height - 4)
    await page.screenshot({ path: path.join(folder, `at-work-${theme}.png`) })
    // A window that is closed while a run is at work asks first.
    const { current, waiting } = await asked(page, 'queue', {})
    for (const { id } of waiting) await asked(page, 'cancelRun', { id })
    if (current !== null) await asked(page, 'cancelRun', { id: current })
    await expect.poll(async () => (await asked(page, 'queue', {})).current, { timeout: 20_000 }).toBeNull()
  })
}
