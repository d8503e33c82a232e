// Quantize, compare and export without a mouse: every control is walked to with Tab, as a person must.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { asked, untilNewestIs } from './steps.ts'

/** What has the focus: its role, and the name that a screen reader says. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const one = document.activeElement as HTMLElement | null
    if (!one) return ''
    const label =
      one.getAttribute('aria-label') ?? (one as HTMLInputElement).labels?.[0]?.textContent ?? one.textContent
    return `${one.getAttribute('role') ?? one.tagName.toLowerCase()} ${label?.trim().replaceAll(/\s+/g, ' ')}`
  })

/** Tab until it has the focus, and see that the focus can be seen. */
async function walkTo(page: Page, wanted: RegExp, key = 'Tab'): Promise<void> {
  const passed: string[] = []
  for (let k = 0; k < 120; k++) {
    await page.keyboard.press(key)
    const here = await focused(page)
    if (wanted.test(here)) {
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)
      expect(outline, `the focus on ${here} can be seen`).not.toBe('none')
      return
    }
    passed.push(here)
  }
  throw new Error(`no Tab leads to ${wanted}: ${passed.join(' | ')}`)
}

test('quantize, compare and export without a mouse', async ({ launch }) => {
  test.setTimeout(120_000)
  const { app, page, data } = await launch({ before: runsBefore({ method: 'rtn', name: 'earlier' }) })
  const heading = (name: string) => page.getByRole('heading', { name, level: 1 })
  await expect(heading('Models')).toBeVisible()

  // Quantize: from the model to a finished run.
  await walkTo(page, /^button Quantize/)
  await page.keyboard.press('Enter')
  await expect(heading('New run')).toBeVisible()
  await expect(page.getByRole('button', { name: /^Start/ })).toBeEnabled()
  await walkTo(page, /^button Start/)
  await page.keyboard.press('Enter')
  const id = await untilNewestIs(page, 'finished')

  // Compare: both runs chosen in the table, one made the baseline.
  await page.keyboard.press('Control+k')
  await page.keyboard.type('go to comp')
  await page.keyboard.press('Enter')
  await expect(heading('Compare')).toBeVisible()
  await walkTo(page, /^row .*signum-rc/)
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Space')
  await page.keyboard.press('b')
  await expect(page.getByRole('row', { selected: true })).toHaveCount(2)
  await expect.poll(async () => (await asked(page, 'settings', {})).baseline).toBe(1)
  // The baseline stands above all others now, and still has the focus.
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')

  // Export: a file for other programs.
  await expect(heading('Runs')).toBeVisible()
  const file = path.join(data, 'by-keys.gguf')
  await app.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath })
  }, file)
  await walkTo(page, /^button Export/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('complementary', { name: 'Export' })).toBeVisible()
  await walkTo(page, /^button Export…/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('region', { name: 'Result' })).toBeVisible({ timeout: 30_000 })
  expect((await stat(file)).size).toBeGreaterThan(1_000_000)
  const { exports } = await asked(page, 'run', { id })
  expect(exports).toMatchObject([{ path: file, verified: true }])
})
