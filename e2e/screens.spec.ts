// Pictures of every screen, dark and light, for the documents: `npm run screens`. Not a test: somebody has to look at them.
import path from 'node:path'
import type { ElectronApplication, Page } from '@playwright/test'
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

/** What a picture is taken with; `still`: the pointer stays where it is. */
type Scene = {
  page: Page
  app: ElectronApplication
  data: string
  shoot: (name: string, still?: 'still') => Promise<void>
}

const row = (page: Page, run: number) => page.locator(`[role=row][data-run="${run}"]`)
const saveTo = (app: ElectronApplication, filePath: string) =>
  app.evaluate(({ dialog }, chosen) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: chosen })
  }, filePath)

async function models({ page, shoot }: Scene): Promise<void> {
  await goTo(page, 'Models')
  await shoot('models')
  await asked(page, 'changeSettings', { tour: 0 })
  await shoot('tour')
  await asked(page, 'changeSettings', { tour: 'over' })
  await page.keyboard.press('Control+k')
  await shoot('palette')
  await page.keyboard.press('Escape')
}

async function newRun({ page, shoot }: Scene): Promise<void> {
  await goTo(page, 'New run')
  await expect(page.getByRole('button', { name: /^Start/ })).toBeEnabled()
  await shoot('new-run')
  await page.getByText('Sweep', { exact: true }).click()
  await page.getByRole('combobox', { name: 'Parameter 1' }).selectOption('second_plane')
  await page.getByRole('textbox', { name: 'Values 1', exact: true }).fill('0, 0.25, 0.5, 1')
  await page.getByRole('button', { name: 'Parameter', exact: true }).click()
  await page.getByRole('combobox', { name: 'Parameter 2' }).selectOption('refits')
  await page.getByRole('textbox', { name: 'Values 2', exact: true }).fill('2, 4')
  await expect(page.getByRole('row')).toHaveCount(1 + 8)
  await expect(page.getByText(/^8 runs: about/)).toBeVisible({ timeout: 20_000 })
  await shoot('sweep')
}

async function result({ page, shoot }: Scene): Promise<void> {
  await goTo(page, 'Runs')
  await page.getByText('signum-rc, two planes').first().click()
  await shoot('result')
  await page.getByRole('tab', { name: 'By depth' }).click()
  await shoot('by-depth')
  await page.getByRole('tab', { name: 'Bytes' }).click()
  await shoot('bytes')
  await page.getByRole('tab', { name: 'Sensitivity' }).click()
  const measure = page.getByRole('button', { name: 'Measure', exact: true })
  const measured = page.getByRole('heading', { name: 'Where more bits would gain most' })
  await expect(measure.or(measured)).toBeVisible()
  if (await measure.isVisible()) await measure.click()
  await expect(measured).toBeVisible({ timeout: 180_000 })
  await shoot('sensitivity')
  await page.getByRole('tab', { name: 'Overview' }).click()
}

async function layers({ page, shoot }: Scene): Promise<void> {
  await goTo(page, 'Layers')
  await ready(page, 1)
  await page.getByRole('combobox', { name: 'Run' }).selectOption({ label: 'arb-rc' })
  await page.getByRole('main').getByRole('button', { name: 'Layers', exact: true }).click()
  await page.getByRole('switch', { name: 'Salient columns', exact: true }).check()
  await page.keyboard.press('Escape')
  await page.getByRole('radio', { name: 'Side by side' }).check()
  await ready(page, 2)
  const first = page.getByTestId('matrix').first()
  await first.hover({ position: { x: 120, y: 120 } })
  await shoot('layers', 'still')
  await page.getByRole('radio', { name: 'Difference' }).check()
  await ready(page, 1)
  await first.hover()
  await shoot('difference', 'still')
}

async function lab({ page, shoot }: Scene): Promise<void> {
  await goTo(page, 'Lab')
  await ready(page, 3)
  await shoot('lab')
}

async function compare({ page, app, data, shoot }: Scene): Promise<void> {
  await goTo(page, 'Compare')
  await row(page, 5).hover()
  await row(page, 5).getByRole('button', { name: 'Baseline' }).click()
  await shoot('compare')
  await page.getByRole('tab', { name: 'Parallel coordinates' }).click()
  await shoot('parallel')
  for (const run of [5, 8]) await row(page, run).getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Side by side' }).click()
  await ready(page, 2)
  await shoot('side-by-side')
  await page.keyboard.press('Alt+ArrowLeft')
  await goTo(page, 'Runs')
  await page.getByText('signum-rc, one plane').first().click()
  await page.getByRole('button', { name: 'Where it fails' }).click()
  await expect(page.getByRole('list', { name: 'Worst tokens' })).toBeVisible()
  await shoot('tokens')
  await goTo(page, 'Runs')
  const file = path.join(data, 'report.html')
  await saveTo(app, file)
  await page.getByRole('button', { name: 'Save a report (HTML)' }).click()
  await expect(page.getByText(`Saved as ${file}`)).toBeVisible({ timeout: 20_000 })
  const [report] = await Promise.all([
    app.waitForEvent('window'),
    app.evaluate(
      async ({ BrowserWindow }, { name, width, height }) => {
        const window = new BrowserWindow({ width, height, webPreferences: { partition: 'report' } })
        await window.loadFile(name)
      },
      { name: file, ...size },
    ),
  ])
  await report.waitForLoadState('load')
  await report.screenshot({ path: path.join(folder, `report-${await themeOf(page)}.png`) })
  await report.close()
}
const themeOf = async (page: Page) => (await asked(page, 'settings', {})).theme

async function prompt({ page, shoot }: Scene): Promise<void> {
  await goTo(page, 'Prompt')
  for (let k = 0; k < 2; k++) await page.getByRole('button', { name: 'Add a model' }).click()
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.getByText(/^\d+ tokens, /)).toHaveCount(4, { timeout: 30_000 })
  await shoot('prompt')
}

async function exported({ page, app, data, shoot }: Scene): Promise<void> {
  await goTo(page, 'Runs')
  await page.getByText('rtn, 2 bits').first().click()
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  await saveTo(app, path.join(data, 'rtn-2-bits-fit.gguf'))
  await page.getByRole('combobox', { name: 'Type' }).selectOption('fit')
  await page.getByRole('button', { name: 'Export…' }).click()
  await expect(page.getByRole('region', { name: 'Result' })).toBeVisible({ timeout: 30_000 })
  // A folder of this computer says nothing.
  await page.evaluate((folder) => {
    for (const one of document.querySelectorAll('aside .path')) one.textContent = one.textContent.replace(folder, '~')
  }, data)
  await shoot('export')
  await page.getByRole('button', { name: 'Close the export panel' }).click()
}

for (const theme of ['light', 'dark'] as const) {
  test(`screens, ${theme}`, async ({ launch }) => {
    test.setTimeout(600_000)
    const settings = settingsSchema.pick({ theme: true }).parse({ theme })
    const { page, app, data } = await launch({ settings, size, before: shelf })
    const shoot: Scene['shoot'] = async (name, still) => {
      if (!still) await page.mouse.move(size.width - 4, size.height - 4)
      // Notices are of the moment.
      for (const notice of await page.getByRole('button', { name: 'Dismiss' }).all()) await notice.click()
      await settled(page)
      await page.screenshot({ path: path.join(folder, `${name}-${theme}.png`) })
    }
    const scene: Scene = { page, app, data, shoot }
    for (const part of [models, newRun, result, layers, lab, compare, prompt, exported]) await part(scene)
    await goTo(page, 'Settings')
    await shoot('settings')
    await atWork(page)
    await page.mouse.move(size.width - 4, size.height - 4)
    await page.screenshot({ path: path.join(folder, `at-work-${theme}.png`) })
    // A window that is closed while a run is at work asks first.
    const { running, waiting } = await asked(page, 'queue', {})
    for (const id of [...waiting.map((run) => run.id), ...running]) await asked(page, 'cancelRun', { id })
    await expect.poll(async () => (await asked(page, 'queue', {})).running, { timeout: 20_000 }).toEqual([])
  })
}
