// A person looks at runs as pictures: what a byte buys, what the papers say, recipes as lines, errors layer by layer; takes the
// pictures and the numbers along, and a report that stands alone.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { ElectronApplication, Page } from '@playwright/test'
import { size } from '../electron/contract/quantities.ts'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { asked, goTo } from './steps.ts'

const shelf = runsBefore(
  { method: 'rtn', name: 'two bits', parameters: { bits: 2 } },
  { method: 'rtn', name: 'three bits', parameters: { bits: 3 } },
  { method: 'billm', name: 'billm' },
  { method: 'gptq', name: 'gptq <b>&', parameters: { bits: 3 } },
)
const row = (page: Page, run: number) => page.locator(`[role=row][data-run="${run}"]`)
const chartMenu = (page: Page) =>
  page.getByRole('region', { name: 'Charts' }).getByRole('button', { name: /^Save or read/ })

/** The file dialog cannot be driven; it answers as if this had been chosen in it. */
const saveTo = (app: ElectronApplication, file: string) =>
  app.evaluate(({ dialog }, chosen) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: chosen })
  }, file)

async function save(app: ElectronApplication, page: Page, item: string, file: string): Promise<Buffer> {
  await saveTo(app, file)
  await chartMenu(page).click()
  await page.getByRole('menuitem', { name: item }).click()
  await expect(page.getByText(`Saved as ${file}`)).toBeVisible()
  return readFile(file)
}

test('size against quality: any axes, published points where they are honest, and the chart taken along', async ({
  launch,
}) => {
  const { app, page, data } = await launch({ before: shelf, size: { width: 1280, height: 800 } })
  await goTo(page, 'Compare')
  const across = page.getByRole('combobox', { name: 'Across' })
  const up = page.getByRole('combobox', { name: 'Up', exact: true })
  const published = page.getByRole('combobox', { name: 'Published points' })
  await expect(
    page.getByRole('img', { name: /^File size against perplexity on evaluation-tales, 4 runs/ }),
  ).toBeVisible()
  await expect(published).toBeDisabled()
  await expect(page.getByText(/^No published points here: The papers measured other models/)).toBeVisible()
  await up.selectOption('ratio')
  await expect(page.getByText(/^No published points here: Files of other models/)).toBeVisible()
  await across.selectOption('nominalBits')
  await published.selectOption('LLaMA-7B')
  await expect(page.getByText('published, other protocol')).toBeVisible()
  const picture = page.getByRole('img', { name: /^Nominal bits against ratio to the original/ })
  await expect(picture).toHaveAttribute('aria-label', /4 runs and \d+ published points of other models/)
  await expect
    .poll(async () => (await asked(page, 'settings', {})).charts)
    .toMatchObject({ x: 'nominalBits', y: 'ratio', published: 'LLaMA-7B' })

  const csv = (await save(app, page, 'Save the numbers (CSV)', path.join(data, 'chart.csv'))).toString()
  const runs = await asked(page, 'runs', {})
  expect(csv.split('\r\n')[0]).toBe(
    'run,name,model,method,nominal bits per weight,ratio to the original,standard error,original,on the Pareto line',
  )
  for (const run of runs) {
    const [original, packed] = (['original', 'packed'] as const).map(
      (subject) => run.metrics.find((one) => one.name === 'perplexity' && one.subject === subject)!.value!,
    )
    expect(csv).toContain(
      `${run.id},${run.name},signum-stories-4m,${run.method},${run.nominal_bits},${packed! / original!},,1,`,
    )
  }
  const others = (await save(app, page, 'Save the published points (CSV)', path.join(data, 'published.csv'))).toString()
  expect(others).toContain('BiLLM,LLaMA-7B,35.04,5.68,')
  expect(others).toContain('arXiv:2402.04291')

  const svg = (await save(app, page, 'Save as SVG', path.join(data, 'chart.svg'))).toString()
  expect(svg).toContain('<title>Nominal bits against ratio to the original on evaluation-tales</title>')
  expect(svg).toContain('>published, other protocol</text>')
  expect(svg).not.toMatch(/<(script|image|style|foreignObject)/)
  // It is XML as a parser reads it, and has shapes.
  const shapes = await page.evaluate((text) => {
    const parsed = new DOMParser().parseFromString(text, 'image/svg+xml')
    return { broken: parsed.querySelector('parsererror') !== null, paths: parsed.querySelectorAll('path').length }
  }, svg)
  expect(shapes.broken).toBe(false)
  expect(shapes.paths).toBeGreaterThan(20)

  const png = await save(app, page, 'Save as PNG', path.join(data, 'chart.png'))
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  // Twice the pixels of the window, and some margin.
  const wide = (await picture.boundingBox())!.width
  expect(png.readUInt32BE(16)).toBe(2 * (Math.round(wide) + 32))
  expect(png.length).toBeGreaterThan(10_000)

  // By the keyboard: the menu, and the numbers in place of the picture.
  await chartMenu(page).focus()
  await page.keyboard.press('Enter')
  await page.keyboard.type('Show the n')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('columnheader', { name: 'ratio to the original' })).toBeVisible()
})

test('table and chart point at the same run', async ({ launch }) => {
  const { page } = await launch({ before: shelf, size: { width: 1280, height: 800 } })
  await goTo(page, 'Compare')
  const picture = page.getByRole('img', { name: /^File size against perplexity/ })
  await expect(picture.locator('canvas')).toBeVisible()
  await page.waitForTimeout(500)
  // Some place of the picture has the point of a run: going over all of it, its row answers.
  const box = (await picture.boundingBox())!
  const pointed = page.locator('[role=row].pointed')
  let found: { x: number; y: number } | null = null
  for (let y = box.y + 30; y < box.y + box.height - 40 && !found; y += 6) {
    for (let x = box.x + 40; x < box.x + box.width - 30 && !found; x += 12) {
      await page.mouse.move(x, y)
      if ((await pointed.count()) > 0) found = { x, y }
    }
  }
  expect(found).not.toBeNull()
  const run = Number(await pointed.getAttribute('data-run'))
  await page.mouse.click(found!.x, found!.y)
  await expect(row(page, run)).toHaveClass(/active/)
  await page.keyboard.down('Shift')
  await page.mouse.click(found!.x, found!.y)
  await page.keyboard.up('Shift')
  await expect(row(page, run).getByRole('checkbox')).toBeChecked()
})

test('parallel coordinates: what is marked on an axis is chosen in the table', async ({ launch }) => {
  const { page } = await launch({ before: shelf, size: { width: 1280, height: 800 } })
  await goTo(page, 'Compare')
  await page.getByRole('tab', { name: 'Parallel coordinates' }).click()
  const picture = page.getByRole('img', { name: /^Recipes and results of 4 runs/ })
  await expect(picture.locator('canvas')).toBeVisible()
  await page.waitForTimeout(500)
  // The first axis is the method; dragging along all of it takes all runs, a part of it some.
  const box = (await picture.boundingBox())!
  const drag = async (from: number, to: number) => {
    const x = box.x + 44
    await page.mouse.move(x, box.y + 46 + from * (box.height - 64))
    await page.mouse.down()
    await page.mouse.move(x, box.y + 46 + to * (box.height - 64), { steps: 8 })
    await page.mouse.up()
  }
  await drag(0.02, 0.3)
  await expect(page.getByText('2 of 4 runs within the marks')).toBeVisible()
  for (const run of [1, 2]) await expect(row(page, run).getByRole('checkbox')).toBeChecked()
  for (const run of [3, 4]) await expect(row(page, run).getByRole('checkbox')).not.toBeChecked()
  await page.getByRole('button', { name: 'Take the marks off' }).click()
  await expect(page.getByText('Drag along an axis to choose runs')).toBeVisible()
  for (const run of [1, 2, 3, 4]) await expect(row(page, run).getByRole('checkbox')).not.toBeChecked()

  // The same by the keyboard.
  await page.getByRole('button', { name: 'Limits' }).press('Enter')
  await page.getByRole('combobox', { name: 'Axis' }).selectOption('method')
  await page.getByRole('combobox', { name: 'From', exact: true }).selectOption({ label: 'gptq' })
  await page.getByRole('combobox', { name: 'To', exact: true }).selectOption({ label: 'gptq' })
  await expect(page.getByText('1 of 4 runs within the marks')).toBeVisible()
  await expect(row(page, 4).getByRole('checkbox')).toBeChecked()
  await page.getByRole('combobox', { name: 'Coloured by' }).selectOption({ label: 'Linear bits' })
  await expect(page.getByText(/more linear bits/)).toBeVisible()
})

test('errors of several runs over each other, and their recipes', async ({ launch }) => {
  const { page } = await launch({ before: shelf, size: { width: 1280, height: 800 } })
  await goTo(page, 'Compare')
  await page.getByRole('tab', { name: 'Error by depth' }).click()
  await expect(page.getByText(/^Choose two runs or more/)).toBeVisible()
  for (const run of [1, 3, 4]) await row(page, run).getByRole('checkbox').check()
  await expect(page.getByRole('img', { name: /^relative output error by decoder layer of all linears/ })).toBeVisible()
  await expect(page.getByText('two bits: no relative output error')).toBeVisible()
  await page.getByText('Weight error', { exact: true }).click()
  await page.getByRole('combobox', { name: 'Kind of linear' }).selectOption('down_proj')
  await row(page, 1).hover()
  await row(page, 1).getByRole('button', { name: 'Baseline' }).click()
  await page.getByText('Against the baseline', { exact: true }).click()
  await expect(
    page.getByRole('img', {
      name: /^relative weight error against two bits, % by decoder layer of down: gptq <b>&, billm$/,
    }),
  ).toBeVisible()
  await page.getByRole('tab', { name: 'Recipes' }).click()
  await expect(page.getByRole('rowheader', { name: 'bits', exact: true })).toBeVisible()
  await expect(page.getByText(/^\d+ of \d+ entries differ$/)).toBeVisible()
})

/** In a window of its own, as a browser opens it: a file, without a network, and nothing of the program beside it. */
async function read(app: ElectronApplication, file: string): Promise<Page> {
  const [opened] = await Promise.all([
    app.waitForEvent('window'),
    app.evaluate(async ({ BrowserWindow }, name) => {
      const window = new BrowserWindow({ width: 1180, height: 900, webPreferences: { partition: 'report' } })
      await window.loadFile(name)
    }, file),
  ])
  await opened.waitForLoadState('load')
  return opened
}

async function expectReadable(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`)).toEqual([])
  // Wide tables scroll by themselves; the page does not.
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
}

test('a report of a run, and one of a comparison, stand alone', async ({ launch }) => {
  const { app, page, data } = await launch({
    before: shelf,
    settings: { theme: 'dark' },
    size: { width: 1280, height: 800 },
  })
  await goTo(page, 'Runs')
  const [run] = await asked(page, 'runs', {})
  const file = path.join(data, 'run.html')
  await saveTo(app, file)
  await page.getByRole('button', { name: 'Save a report (HTML)' }).click()
  await expect(page.getByText(`Saved as ${file}`)).toBeVisible({ timeout: 20_000 })
  const report = await read(app, file)
  await expect(report.getByRole('heading', { level: 1 })).toHaveText('gptq <b>&')
  await report.screenshot({ path: test.info().outputPath('run-report.png'), fullPage: true })
  for (const name of ['Quality', 'Where the bytes go', 'Error by depth', 'Map of the model', 'Recipe', 'Linears']) {
    await expect(report.getByRole('heading', { name, level: 2 })).toBeVisible()
  }
  await expect(report.locator('dd', { hasText: size(run!.file_bytes!) })).toBeVisible()
  await expect(report.getByText(/^signum quantize signum-stories-4m --method gptq --set bits=3/)).toBeVisible()
  expect(
    (await report.locator('figure rect title').count()) + (await report.locator('figure g title').count()),
  ).toBeGreaterThan(28)
  await expectReadable(report)
  await report.close()

  await goTo(page, 'Compare')
  for (const one of [1, 3, 4]) await row(page, one).getByRole('checkbox').check()
  await row(page, 3).hover()
  await row(page, 3).getByRole('button', { name: 'Baseline' }).click()
  const other = path.join(data, 'comparison.html')
  await saveTo(app, other)
  await page.getByRole('button', { name: 'Report', exact: true }).click()
  await expect(page.getByText(`Saved as ${other}`)).toBeVisible({ timeout: 20_000 })
  const comparison = await read(app, other)
  await expect(comparison.getByRole('heading', { level: 1 })).toHaveText('Comparison of 3 runs')
  await comparison.screenshot({ path: test.info().outputPath('comparison-report.png'), fullPage: true })
  await expect(comparison.getByRole('rowheader', { name: 'two bits' })).toBeVisible()
  await expect(comparison.locator('.delta').first()).toBeVisible()
  await expect(comparison.locator('figure')).toHaveCount(3)
  await expectReadable(comparison)
  await comparison.close()
})
