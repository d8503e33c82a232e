// A person looks at where the small model fails, word by word, and the numbers are those of the run's own file.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { ElectronApplication, Page } from '@playwright/test'
import { readTargets, type Targets } from '../electron/losses/targets.ts'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { goTo } from './steps.ts'

const before = runsBefore(
  { method: 'rtn', name: 'two bits', parameters: { bits: 2 } },
  { method: 'billm', name: 'binarized' },
)

/** Position, and nats that a run loses more there, from the worst on. */
function differences({ losses, windows, window, unpredicted }: Targets, others: Float32Array) {
  const predicted = window - unpredicted
  const all = Array.from({ length: windows * predicted }, (_, k) => ({
    position: Math.floor(k / predicted) * window + unpredicted + (k % predicted),
    own: losses[k]!,
    other: others[k]!,
  }))
  return all.toSorted((a, b) => b.own - b.other - (a.own - a.other))
}

const model = (page: Page, name: string) =>
  page.getByRole('region', { name: 'Token' }).getByRole('row').filter({ hasText: name }).getByRole('cell')

async function saved(page: Page, app: ElectronApplication, file: string): Promise<string[]> {
  await app.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath })
  }, file)
  await page.getByRole('button', { name: 'CSV' }).click()
  await expect.poll(() => readFile(file, 'utf8').catch(() => '')).not.toBe('')
  return (await readFile(file, 'utf8')).trimEnd().split('\r\n')
}

test('the worst words of a run against its original, as its file has them', async ({ launch }) => {
  const { app, page, data } = await launch({ before })
  await goTo(page, 'Runs')
  await page.getByText('binarized').first().click()
  await page.getByRole('button', { name: 'Where it fails' }).click()
  await expect(page.getByRole('heading', { name: 'Where it fails', level: 1 })).toBeVisible()

  const targets = await readTargets(path.join(data, 'runs', '2', 'evaluation.safetensors'))
  const sorted = differences(targets, targets.reference!.losses)
  const worst = page.getByRole('list', { name: 'Worst tokens' }).getByRole('listitem')
  await expect(worst).toHaveCount(200)
  const shown = await worst
    .getByRole('button')
    .evaluateAll((buttons) => buttons.map((one) => Number(one.lastElementChild!.textContent)))
  expect(shown).toEqual(sorted.slice(0, 200).map(({ own, other }) => Number((own - other).toFixed(2))))

  // The worst is looked at first, by n the next one; its word is in sight.
  for (const { position, own, other } of sorted.slice(0, 3)) {
    await expect(page.getByText(new RegExp(`at ${position.toLocaleString('en')}, window`))).toBeVisible()
    await expect(page.locator(`[data-position="${position}"]`)).toBeInViewport()
    await expect(model(page, 'binarized').nth(1)).toHaveText(own.toFixed(3))
    await expect(model(page, 'Original').nth(1)).toHaveText(other.toFixed(3))
    await page.keyboard.press('n')
  }
  await page.keyboard.press('p')
  await expect(page.getByText('3 of 200')).toBeVisible()
  // From token to token by the arrow keys.
  await page.getByRole('group', { name: /^The text; arrow keys/ }).press('ArrowRight')
  await expect(page.getByText(`at ${(sorted[2]!.position + 1).toLocaleString('en')}, window`)).toBeVisible()

  const all = await saved(page, app, path.join(data, 'all.csv'))
  expect(all).toHaveLength(1 + targets.tokens.length)
  expect(all[0]).toContain('loss of binarized (nats),loss of original (nats),difference from original (nats)')
  await page.getByRole('checkbox', { name: 'Only what is worse by' }).check()
  await page.getByRole('textbox', { name: 'Worse by at least, in nats' }).fill('1')
  const worse = await saved(page, app, path.join(data, 'worse.csv'))
  expect(worse).toHaveLength(1 + sorted.filter(({ own, other }) => own - other >= 1).length)
  await page.waitForTimeout(400)
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().include('main').analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`)).toEqual([])
})

test('two runs on the same text, one against the other, from the comparison', async ({ launch }) => {
  const { page, data } = await launch({ before, settings: { theme: 'light' } })
  await goTo(page, 'Compare')
  for (const run of [1, 2]) await page.locator(`[role=row][data-run="${run}"]`).getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Where it fails' }).click()
  const against = page.getByRole('combobox', { name: 'Against' })
  const run = page.getByRole('combobox', { name: 'Run', exact: true })
  await expect(against).toHaveValue(/[12]/)
  const [mine, other] = [Number(await run.inputValue()), Number(await against.inputValue())]
  expect([mine, other].toSorted()).toEqual([1, 2])
  const [own, its] = await Promise.all(
    [mine, other].map((id) => readTargets(path.join(data, 'runs', String(id), 'evaluation.safetensors'))),
  )
  const [worst] = differences(own!, its!.losses)
  await expect(page.getByText(`at ${worst!.position.toLocaleString('en')}, window`)).toBeVisible()
  const names = { 1: 'two bits', 2: 'binarized' } as Record<number, string>
  await expect(model(page, names[other]!).nth(1)).toHaveText(worst!.other.toFixed(3))
  await expect(model(page, names[mine]!).nth(1)).toHaveText(worst!.own.toFixed(3))
  await against.selectOption('original')
  await expect(page.getByText('Same top token')).toBeVisible()
  await page.waitForTimeout(400)
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().include('main').analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`)).toEqual([])
  await page.getByRole('button', { name: 'Back', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Compare', level: 1 })).toBeVisible()
})
