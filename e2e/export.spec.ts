// A person takes a finished run elsewhere: what it keeps is said before, what it is afterwards, and the history has it.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { asked, goTo } from './steps.ts'

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
  await panel.getByText('F32', { exact: true }).click()
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
