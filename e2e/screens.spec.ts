// Pictures of every screen, dark and light, for the documents: `npm run screens`. Not a test: somebody has to look at them.
import path from 'node:path'
import type { Page } from '@playwright/test'
import { settingsSchema } from '../electron/contract/settings.ts'
import { test } from './app.ts'
import { runsBefore } from './runs.ts'

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
const open = (page: Page, name: string) => page.getByRole('navigation').getByRole('button', { name }).click()

for (const theme of ['light', 'dark'] as const) {
  test(`screens, ${theme}`, async ({ launch }) => {
    test.setTimeout(240_000)
    const settings = settingsSchema.pick({ theme: true }).parse({ theme })
    const { page, app } = await launch({ settings, size, before: shelf })
    const shoot = async (name: string) => {
      await page.mouse.move(size.width - 4, size.height - 4)
      await settled(page)
      await page.screenshot({ path: path.join(folder, `${name}-${theme}.png`) })
    }
    await open(page, 'Models')
    await shoot('models')
    await open(page, 'New run')
    await page.waitForTimeout(1500)
    await shoot('recipe')
    await open(page, 'Runs')
    await page.getByText('signum-rc, two planes').first().click()
    await shoot('result')
    await open(page, 'Layers')
    await page.waitForTimeout(1500)
    await shoot('layers')
    await open(page, 'Compare')
    await page.waitForTimeout(800)
    await shoot('compare')
    await open(page, 'Settings')
    await shoot('settings')
    void app
  })
}
