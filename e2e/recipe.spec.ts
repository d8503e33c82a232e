// A person chooses a method and a size, is told what it will cost, and is stopped before a run that cannot work begins.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { bits } from '../electron/contract/quantities.ts'
import { openTokenizer } from '../electron/models/tokenizer.ts'
import { windowStarts } from '../electron/models/windows.ts'
import { expect, test } from './app.ts'
import { demoModel } from './runs.ts'
import { asked, chooseInDialog, goTo, reportIn, untilNewestIs } from './steps.ts'

test('a budget sets the parameters, and the run comes to the size that was said', async ({ launch }) => {
  const { app, page, data } = await launch()
  await goTo(page, 'New run')
  const plane = page.getByRole('textbox', { name: 'second_plane', exact: true })
  await expect(plane).toHaveValue('1')
  await page.getByRole('textbox', { name: 'Bit budget in bits' }).fill('1.7')
  await expect(plane).toHaveValue('0.4')
  // The slider does the same by the keyboard: one step to the right is a larger share.
  const slider = page.getByRole('slider', { name: 'Bit budget' })
  await slider.press('ArrowRight')
  await expect.poll(async () => Number(await plane.inputValue())).toBeGreaterThan(0.4)
  await page.getByRole('textbox', { name: 'Bit budget in bits' }).fill('1.7')

  await page.getByRole('button', { name: 'Copy', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible()
  const line = await app.evaluate(({ clipboard }) => clipboard.readText())
  expect(line).toContain('--method signum-rc --set second_plane=0.4 --calibration bundled:calibration-broad')

  const outlook = page.getByLabel('Bits per weight')
  const said = await outlook.getByText(/^\d\.\d\d$/).allTextContents()
  await expect(page.getByText('rough estimate')).toBeVisible()
  await page.getByRole('button', { name: 'Start' }).click()
  const id = await untilNewestIs(page, 'finished')
  const report = await reportIn(path.join(data, 'runs', String(id)))
  expect([report.bits.nominal, report.bits.linear, report.bits.file].map(bits)).toEqual(said)
  expect(report.recipe.parameters['second_plane']).toBe(0.4)

  // The next one is forecast from what this one took.
  await goTo(page, 'New run')
  await expect(page.getByText('estimated from 1 run of this model on this computer')).toBeVisible()
})

test('the text that is looked at before is what the run is calibrated on', async ({ launch }) => {
  const { page, data } = await launch()
  await goTo(page, 'New run')
  const texts = page.getByRole('region', { name: 'Calibration text' })
  await texts.getByText('random', { exact: true }).click()
  await texts.getByRole('textbox', { name: 'Sequences' }).fill('5')
  await texts.getByRole('textbox', { name: 'Length' }).fill('64')
  await texts.getByRole('textbox', { name: 'Seed' }).fill('3')
  const shown = texts.getByLabel('Text of the window')
  const seen: string[] = []
  for (let window = 1; window <= 5; window++) {
    await texts.getByRole('textbox', { name: 'Window that is shown' }).fill(String(window))
    await expect(texts.getByText(/^64 tokens, from token [\d,]+ of 31,080$/)).toBeVisible()
    await expect(texts.getByRole('button', { name: 'Window after' })).toBeEnabled({ enabled: window < 5 })
    await expect.poll(async () => seen.includes(await shown.innerText())).toBe(false)
    seen.push(await shown.innerText())
  }
  await page.getByRole('button', { name: 'Start' }).click()
  const id = await untilNewestIs(page, 'finished')
  const bytes = await readFile(path.join(data, 'runs', String(id), 'calibration.u32'))
  const starts = windowStarts({ sampling: 'random', sequences: 5, length: 64, seed: 3 }, bytes.length / 4)
  const tokenizer = await openTokenizer(demoModel)
  if (!tokenizer.ok) throw new Error(tokenizer.problem.message)
  const taken = starts.map((start) =>
    tokenizer.value.decode(Array.from({ length: 64 }, (_, i) => bytes.readUInt32LE(4 * (start + i)))),
  )
  expect(seen).toEqual(taken)
})

test('a plan divides the budget among the linears, and its run comes to the size that was said', async ({ launch }) => {
  const { page, data } = await launch()
  await goTo(page, 'New run')
  const mixed = page.getByRole('region', { name: 'Mixed' })
  await mixed.getByRole('button', { name: 'Mixed' }).click()
  await expect(mixed.getByRole('textbox', { name: 'Mixed budget in bits' })).toHaveValue('2.25')
  await mixed.getByRole('button', { name: 'Plan' }).click()
  await mixed.getByRole('button', { name: 'Cancel' }).click()
  await mixed.getByRole('button', { name: 'Plan' }).click()
  await expect(mixed.getByRole('progressbar', { name: 'Measuring candidates' })).toBeVisible()
  await expect(mixed.getByText(/^2\.2\d linear bits, .* expected loss/)).toBeVisible({ timeout: 240_000 })
  await mixed.getByText('28 linears, 9 candidates').click()
  await expect(mixed.getByRole('row', { name: /^model\.layers\.0\.mlp\.down_proj/ })).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().include('main').analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`)).toEqual([])

  await mixed.getByRole('button', { name: 'Use this recipe' }).click()
  const rows = page.getByRole('list', { name: 'Overrides' }).getByRole('listitem')
  await expect(rows.first()).toBeVisible()
  await page.getByRole('button', { name: 'Start' }).click()
  const id = await untilNewestIs(page, 'finished')
  const report = await reportIn(path.join(data, 'runs', String(id)))
  expect(report.bits.linear).toBeLessThanOrEqual(2.25)
  expect(report.bits.linear).toBeGreaterThan(2.2)
  expect(report.recipe.overrides.length).toBeGreaterThan(1)
})

test('a method that cannot reach the budget comes as near as it can, and says so', async ({ launch }) => {
  const { page } = await launch()
  await goTo(page, 'New run')
  const budget = page.getByRole('textbox', { name: 'Bit budget in bits' })
  await expect(budget).toHaveValue('2.38')
  await budget.fill('5')
  await expect(page.getByText('Signum RC cannot use more than 3.55 linear bits')).toBeVisible()
  await budget.fill('1.5')
  await page.getByRole('radio', { name: /^BiLLM/ }).press('Space')
  await expect(page.getByText('BiLLM cannot get below 2.44 linear bits')).toBeVisible()
  await expect(page.getByRole('textbox', { name: 'blocksize', exact: true })).toHaveValue('256')
  await page.getByRole('button', { name: 'All as usual' }).click()
  await expect(page.getByRole('textbox', { name: 'blocksize', exact: true })).toHaveValue('128')
})

test('what cannot be is said where it was typed, and before anything starts', async ({ launch }) => {
  const { app, page, data } = await launch()
  await goTo(page, 'New run')
  const start = page.getByRole('button', { name: 'Start' })
  await expect(start).toBeEnabled()
  const refits = page.getByRole('textbox', { name: 'refits', exact: true })
  await refits.fill('many')
  await expect(page.getByText('Must be a whole number from 0 to 20.')).toBeVisible()
  await expect(start).toBeDisabled()
  await page.getByRole('button', { name: 'Reset refits to 4' }).click()
  await expect(refits).toHaveValue('4')
  await expect(refits).toBeFocused()
  await expect(start).toBeEnabled()

  const short = path.join(data, 'short.txt')
  await writeFile(short, 'Once upon a time.')
  await chooseInDialog(app, short)
  await page.getByRole('region', { name: 'Calibration text' }).getByRole('button', { name: 'A file of yours' }).click()
  await expect(page.getByRole('group', { name: 'What is sampled' }).getByRole('alert')).toContainText(
    'and 32 sequences of 256 tokens need 8,192',
  )
  await expect(page.getByRole('list', { name: 'Checks' }).getByText(/has \d tokens, and 32 sequences/)).toBeVisible()
  await expect(start).toBeDisabled()
  expect(await asked(page, 'runs', {})).toEqual([])
})

for (const theme of ['light', 'dark'] as const) {
  test(`everybody can use it, ${theme}`, async ({ launch }) => {
    const { page } = await launch({ settings: { theme } })
    await goTo(page, 'New run')
    await expect(page.getByRole('button', { name: 'Start' })).toBeEnabled()
    await page.getByRole('textbox', { name: 'refits', exact: true }).fill('x')
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().include('main').analyze()
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`)).toEqual([])
  })
}
