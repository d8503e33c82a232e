// A person keeps a recipe under a name, shares it as a file, and somebody else goes on with the same one.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from './app.ts'
import { demoModel } from './runs.ts'
import { asked, chooseInDialog, goTo, reportIn, untilNewestIs } from './steps.ts'

const root = path.resolve(import.meta.dirname, '..')
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true })
const saved = (page: Page) => page.getByRole('list', { name: 'Saved recipes' }).getByRole('listitem')

test('a recipe is saved, shared as a file, opened, and runs as the same recipe', async ({ launch }) => {
  const { app, page, data } = await launch()
  await goTo(page, 'New run')
  await field(page, 'second_plane').fill('0.3')
  await field(page, 'Sequences').fill('7')
  await page.getByRole('button', { name: 'Override', exact: true }).click()
  await field(page, 'Pattern 1').fill('down_proj')
  await page.getByText('Saved recipes', { exact: true }).click()
  await field(page, 'Name of the recipe').fill('small but good')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(saved(page)).toHaveText(/small but good.*second_plane=0\.3; \+1 override; calibration-broad 7 × 256/)

  const file = path.join(data, 'shared.json')
  await app.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath })
  }, file)
  await page.getByRole('button', { name: 'Save small but good to a file' }).click()
  await expect(page.getByText(`The recipe is in ${file}.`)).toBeVisible()
  await page.getByRole('button', { name: 'Copy small but good as JSON' }).click()
  await expect(page.getByText('The recipe is copied as JSON.')).toBeVisible()
  const copied = JSON.parse(await app.evaluate(({ clipboard }) => clipboard.readText())) as Record<string, unknown>
  expect(copied).toEqual(JSON.parse(await readFile(file, 'utf8')))
  expect(copied).toMatchObject({ method: 'signum-rc', overrides: [{ match: 'down_proj', keep: true }] })

  // Another method, and back by the file: with everything that it says.
  await page.getByText('Methods', { exact: true }).click()
  await page.getByRole('radio', { name: /^BiLLM/ }).press('Space')
  await page.getByRole('button', { name: 'Remove override 1' }).click()
  await page.getByText('Saved recipes (1)', { exact: true }).click()
  await chooseInDialog(app, file)
  await page.getByRole('button', { name: 'Open file' }).click()
  await expect(field(page, 'second_plane')).toHaveValue('0.3')
  await expect(field(page, 'Pattern 1')).toHaveValue('down_proj')
  await expect(saved(page).getByRole('button', { name: /^small but good/ })).toHaveAttribute('aria-current', 'true')
  await page.getByRole('button', { name: 'Start' }).click()
  const id = await untilNewestIs(page, 'finished')
  const { recipe } = await reportIn(path.join(data, 'runs', String(id)))
  expect(recipe).toMatchObject({ ...copied, evaluations: [{ source: 'bundled:evaluation-tales' }] })

  // The command line reads what was shared.
  const out = path.join(data, 'by-line')
  const program = [path.join(root, 'bin', 'signum.mjs'), 'quantize', demoModel]
  await promisify(execFile)(process.execPath, [...program, '--recipe', file, '--no-evaluation', '--out', out])
  expect((await reportIn(out)).recipe).toMatchObject({ ...copied, evaluations: [] })
})

test('what is deleted, replaced or reset comes back; what is no recipe is said', async ({ launch }) => {
  const { app, page, data, close } = await launch()
  await goTo(page, 'New run')
  await field(page, 'refits').fill('2')
  await page.getByRole('button', { name: 'All as usual' }).click()
  await expect(field(page, 'refits')).toHaveValue('4')
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(field(page, 'refits')).toHaveValue('2')

  await page.getByText('Saved recipes', { exact: true }).click()
  for (const name of ['one', 'two']) {
    await field(page, 'Name of the recipe').fill(name)
    await field(page, 'Name of the recipe').press('Enter')
  }
  await page.getByRole('button', { name: 'Rename two' }).click()
  await field(page, 'New name of two').fill('three')
  await field(page, 'New name of two').press('Enter')
  await page.getByRole('button', { name: 'Delete three' }).click()
  await expect(saved(page)).toHaveCount(1)
  await expect(page.getByText('“three” is deleted.')).toBeVisible()
  await page.keyboard.press('Control+z')
  await expect(saved(page)).toHaveCount(2)

  const broken = path.join(data, 'broken.json')
  await writeFile(broken, JSON.stringify({ signum_recipe: 1, method: 'rtn', parameters: { bits: 99 } }))
  await chooseInDialog(app, broken)
  await page.getByRole('button', { name: 'Open file' }).click()
  await expect(page.getByRole('alert')).toContainText('bits must be a whole number from 1 to 8')
  await page.getByRole('button', { name: 'Paste JSON' }).click()
  await field(page, 'Recipe as JSON').fill('{"signum_recipe": 1, "method": "gptq"}')
  await page.getByRole('button', { name: 'Use it' }).click()
  await expect(page.getByRole('region', { name: 'GPTQ: parameters' })).toBeVisible()
  await page.waitForTimeout(400)
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().include('main').analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`)).toEqual([])

  await close()
  const again = await launch()
  const { presets } = await asked(again.page, 'settings', {})
  expect(presets.map(({ name }) => name)).toEqual(['three', 'one'])
})
