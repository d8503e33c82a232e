// Ten thousand runs: listed, narrowed, compared. The times go into the report; what is shown is what is checked.
import { writeFile } from 'node:fs/promises'
import type { Page, TestInfo } from '@playwright/test'
import { expect, test } from './app.ts'
import { writeRuns } from './many-runs.ts'
import { asked, goTo } from './steps.ts'

const count = 10_000
type Clock = { begun: number; ended: number | null }
type Timed = Window & { clock?: Clock }
/** What must be in the page: so many of these, or the table with so many rows. */
type Shown = { selector: string; least?: number; exactly?: number; rowcount?: number; typed?: string }

/** Milliseconds from the first key or button that is pressed to the frame after `shown` first holds in the page. */
async function timed(page: Page, shown: Shown, action: () => Promise<void>): Promise<number> {
  await page.evaluate(({ selector, least, exactly, rowcount, typed }) => {
    const holds = () => {
      const found = document.querySelectorAll(selector)
      if (rowcount !== undefined && found[0]?.getAttribute('aria-rowcount') !== String(rowcount)) return false
      const line = document.querySelector<HTMLInputElement>('[role=combobox]')
      if (typed !== undefined && line?.value !== typed) return false
      return exactly === undefined ? found.length >= (least ?? 1) : found.length === exactly
    }
    const clock: Clock = { begun: 0, ended: null }
    ;(window as Timed).clock = clock
    const look = () => {
      if (!holds()) return void requestAnimationFrame(look)
      // The next frame begins when this one was handed over to be shown.
      requestAnimationFrame(() => (clock.ended = performance.now()))
    }
    const begin = (event: Event) => {
      clock.begun = event.timeStamp
      for (const name of ['keydown', 'pointerdown']) removeEventListener(name, begin, true)
      requestAnimationFrame(look)
    }
    for (const name of ['keydown', 'pointerdown']) addEventListener(name, begin, true)
  }, shown)
  await action()
  await expect.poll(() => page.evaluate(() => (window as Timed).clock?.ended ?? null)).not.toBeNull()
  return page.evaluate(() => (window as Timed).clock!.ended! - (window as Timed).clock!.begun)
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
const rowsThere: Shown = { selector: '[role=row][data-run]', least: 5 }

async function report(info: TestInfo, times: Record<string, number[]>): Promise<void> {
  const lines = Object.entries(times).map(([name, values]) => {
    const rounded = values.map((value) => Math.round(value))
    return { name, median: median(rounded), worst: Math.max(...rounded), values: rounded }
  })
  const text = lines.map(({ name, median, worst }) => `${name} ${median} ms (worst ${worst})`).join(', ')
  console.log(`${count} runs: ${text}`)
  info.annotations.push({ type: 'times', description: text })
  await writeFile(info.outputPath('many-runs.json'), JSON.stringify({ runs: count, times: lines }, null, 2))
  await info.attach('many-runs.json', { path: info.outputPath('many-runs.json') })
}

test('ten thousand runs are listed, narrowed and compared', async ({ launch }, info) => {
  test.setTimeout(240_000)
  const { page } = await launch({
    settings: { tour: 'over' },
    size: { width: 1280, height: 800 },
    before: (_workbench, data) => writeRuns(data, count),
  })
  const times: Record<string, number[]> = {}
  const add = (name: string, time: number) => (times[name] ??= []).push(time)
  const grid = page.getByRole('grid', { name: 'Runs' })
  const listed = await asked(page, 'runs', {})
  expect(listed).toHaveLength(count)
  const shownRuns = listed.filter(({ status, archived_at: at }) => status === 'finished' && at === null)

  for (let k = 0; k < 5; k++) {
    add(
      'whole list from the history',
      await page.evaluate(async () => {
        const begun = performance.now()
        await window.signum.call('runList', { since: null })
        return performance.now() - begun
      }),
    )
  }
  await goTo(page, 'Compare')
  await expect(grid).toHaveAttribute('aria-rowcount', String(shownRuns.length + 1))
  await page.waitForTimeout(1500)
  for (let k = 0; k < 5; k++) {
    await goTo(page, 'Models')
    add('table opened', await timed(page, rowsThere, () => goTo(page, 'Compare')))
    await expect(page.locator('[role=row][data-run]').first()).toHaveAttribute('data-run', String(shownRuns[0]!.id))
    await page.waitForTimeout(700)
  }
  for (let k = 0; k < 5; k++) {
    await goTo(page, 'Models')
    add('list of Runs opened', await timed(page, { selector: '.side [data-run]', least: 5 }, () => goTo(page, 'Runs')))
  }
  await goTo(page, 'Compare')
  await page.waitForTimeout(1500)

  // Every key of a filter that is typed, until the number of rows is the right one.
  const filter = page.getByRole('combobox', { name: /Filter/ })
  await filter.click()
  const line = 'gptq tag:paper bits<3'
  const fits = (typed: string): number => {
    const [word, tag, bits] = typed.split(' ')
    return shownRuns.filter(
      (run) =>
        [run.name, run.method, run.note, ...run.tags].some((text) => text.toLowerCase().includes(word ?? '')) &&
        (tag !== 'tag:paper' || run.tags.includes('paper')) &&
        (bits !== 'bits<3' || run.linear_bits! < 3),
    ).length
  }
  for (const until of [1, 2, 3, 4, 14, line.length]) {
    const typed = line.slice(0, until)
    await filter.fill(typed.slice(0, -1))
    await page.waitForTimeout(500)
    const shown = { selector: '[role=grid]', rowcount: fits(typed) + 1, typed }
    add('key in the filter', await timed(page, shown, () => page.keyboard.press(typed.at(-1)!)))
  }
  await expect(grid).toHaveAttribute('aria-rowcount', String(fits(line) + 1))
  await page.keyboard.press('Escape')
  await filter.fill('')
  await expect(grid).toHaveAttribute('aria-rowcount', String(shownRuns.length + 1))

  // Twenty rows beside each other: the newest, whose linears are all there.
  const first = page.locator('[role=row][data-run]').first()
  const panels: [string, Shown][] = ['Numbers', 'Recipes'].map((tab) => [
    tab,
    { selector: `[aria-label="${tab} side by side"] thead th`, exactly: 20 },
  ])
  for (const [tab, shown] of panels) {
    await page.getByRole('tab', { name: tab }).click()
    await first.click({ position: { x: 120, y: 15 } })
    for (let k = 0; k < 18; k++) await page.keyboard.press('Shift+ArrowDown')
    await page.waitForTimeout(300)
    add(`twenty runs, ${tab.toLowerCase()}`, await timed(page, shown, () => page.keyboard.press('Shift+ArrowDown')))
    await expect(page.getByText('20 chosen')).toBeVisible()
    await page.getByRole('button', { name: 'Choose none' }).click()
  }

  // A change of one run reaches the table without the other runs.
  await first.click({ position: { x: 120, y: 15 } })
  await page.keyboard.press('Home')
  const renamed = shownRuns[2]!.id
  const begun = performance.now()
  await asked(page, 'renameRun', { id: renamed, name: 'renamed just now' })
  await expect(page.locator(`[role=row][data-run="${renamed}"]`)).toContainText('renamed just now')
  add('one run changed', performance.now() - begun)
  await report(info, times)
})

test('tags, archive, deletion and the way back', async ({ launch }) => {
  const { page } = await launch({ settings: { tour: 'over' }, before: (_workbench, data) => writeRuns(data, 60) })
  await goTo(page, 'Compare')
  const rows = page.locator('[role=row][data-run]')
  await rows.first().click({ position: { x: 120, y: 15 } })
  const run = Number(await rows.first().getAttribute('data-run'))
  const row = page.locator(`[role=row][data-run="${run}"]`)
  await page.keyboard.press('t')
  await page.getByRole('textbox', { name: /^Tags/ }).fill('chosen for-anna')
  await page.keyboard.press('Enter')
  await expect(row).toContainText('chosen')
  await page.keyboard.press('n')
  await page.getByRole('textbox', { name: /^Note/ }).fill('The best so far')
  await page.keyboard.press('Enter')
  await expect(row).toContainText('The best so far')
  await expect.poll(async () => (await asked(page, 'run', { id: run })).note).toBe('The best so far')

  const filter = page.getByRole('combobox', { name: /Filter/ })
  await filter.fill('tag:chosen')
  await expect(rows).toHaveCount(1)
  await filter.fill('metod:gptq ')
  await expect(page.getByText('There is no metod to filter by; did you mean method?')).toBeVisible()
  await filter.fill('')
  await filter.press('Escape')

  await row.click({ position: { x: 120, y: 15 } })
  await page.keyboard.press('e')
  await expect(row).toHaveCount(0)
  await page.getByRole('button', { name: /^Archived: \d+ hidden/ }).click()
  await expect(row).toHaveCount(1)
  await page.getByRole('button', { name: 'Archived shown' }).click()
  await page.keyboard.press('Control+z')
  await expect(row).toHaveCount(1)

  await row.click({ button: 'right', position: { x: 120, y: 15 } })
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await expect(row).toHaveCount(0)
  await expect(page.getByText(/^Deleted /)).toBeVisible()
  expect((await asked(page, 'runs', {})).some(({ id }) => id === run)).toBe(false)
  await page.keyboard.press('Control+z')
  await expect(row).toContainText('The best so far')
  expect((await asked(page, 'run', { id: run })).tags).toEqual(['chosen', 'for-anna'])

  await page.getByLabel('Group', { exact: true }).selectOption('method')
  const grid = page.getByRole('treegrid', { name: 'Runs' })
  await expect(grid.locator('[aria-level="1"]').first()).toContainText('best')
  const group = grid.locator('[aria-expanded]').first()
  const before = await grid.getAttribute('aria-rowcount')
  await group.click()
  await expect(group).toHaveAttribute('aria-expanded', 'false')
  expect(Number(await grid.getAttribute('aria-rowcount'))).toBeLessThan(Number(before))

  await goTo(page, 'Runs')
  await page.getByRole('combobox', { name: 'Find runs' }).fill('tag:chosen')
  await expect(page.getByText('1 of 60')).toBeVisible()
})
