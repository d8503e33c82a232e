// A person takes a finished run elsewhere: what it keeps is said before, what it is afterwards, and the history has it.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { asked, chooseInDialog, goTo } from './steps.ts'

test('a run becomes a GGUF file, read back and kept in the history', async ({ launch }) => {
  const { page, app, data } = await launch({ before: runsBefore({ method: 'rtn', name: 'two bits' }) })
  const file = path.join(data, 'two-bits.gguf')
  await app.evaluate(({ dialog }, chosen) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: chosen })
  }, file)
  await goTo(page, 'Runs')
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const panel = page.getByRole('complementary', { name: 'Export' })
  await expect(panel).toContainText('None yet.')
  await expect(panel).toContainText('One file for llama.cpp')
  await panel.getByRole('combobox', { name: 'Type' }).selectOption('f32')
  await expect(panel).toContainText('Every number exactly.')
  await panel.getByRole('button', { name: 'Export…' }).click()
  const result = panel.getByRole('region', { name: 'Result' })
  await expect(result).toContainText('Verified', { timeout: 30_000 })
  await expect(result).toContainText('numbers as the model decodes them')
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
  await expect(result).toContainText(sha256)
  await expect(panel.getByRole('region', { name: 'Earlier exports' })).toContainText(file)
  const { exports } = await asked(page, 'run', { id: 1 })
  expect(exports).toMatchObject([{ path: file, format: 'gguf', type: 'f32', verified: true, files: [{ sha256 }] }])
})

test('a packed folder goes elsewhere, and comes back as a run', async ({ launch }) => {
  const { page, app, data } = await launch({ before: runsBefore({ method: 'rtn', name: 'two bits' }) })
  await chooseInDialog(app, data)
  await goTo(page, 'Runs')
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const panel = page.getByRole('complementary', { name: 'Export' })
  await panel.getByRole('combobox', { name: 'Format' }).selectOption('packed')
  await expect(panel).toContainText('Every bit: it is the run itself.')
  await panel.getByRole('button', { name: 'Export…' }).click()
  await expect(panel.getByRole('region', { name: 'Result' })).toContainText('Verified', { timeout: 30_000 })
  await chooseInDialog(app, path.join(data, 'two-bits-packed'))
  await page.getByRole('button', { name: 'Import' }).click()
  await expect(page.getByText('two bits was a run already.')).toBeVisible({ timeout: 20_000 })
  // Gone from the history, it is a new one.
  await asked(page, 'deleteRun', { id: 1 })
  await page.getByRole('button', { name: 'Import' }).click()
  await expect(page.getByText(/is a run now: every hash in it was checked/)).toBeVisible({ timeout: 20_000 })
  expect(await asked(page, 'runs', {})).toMatchObject([{ status: 'finished' }])
})
