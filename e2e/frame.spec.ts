// The frame round the views: what can be done by name, by keys, in any size; the tour.
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { asked, goTo, untilNewestIs } from './steps.ts'

test('whatever can be done is found by a few letters', async ({ launch }) => {
  const { page } = await launch({ before: runsBefore({ method: 'rtn', name: 'a run of mine' }) })
  const palette = page.getByRole('dialog', { name: 'Command palette' })
  await page.keyboard.press('Control+k')
  await page.keyboard.type('compa')
  await page.keyboard.press('Enter')
  await expect(palette).toBeHidden()
  await expect(page.getByRole('heading', { name: 'Compare', level: 1 })).toBeVisible()
  // A run by its name.
  await page.getByRole('button', { name: 'Find' }).click()
  await page.keyboard.type('of mine')
  await expect(palette.getByRole('option')).toHaveCount(1)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'a run of mine' })).toBeVisible()
  // What nothing is called.
  await page.keyboard.press('Control+k')
  await page.keyboard.type('zzzz')
  await expect(palette.getByText('Nothing is called that.')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(palette).toBeHidden()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('dark colours')
  await page.keyboard.press('Enter')
  await expect.poll(async () => (await asked(page, 'settings', {})).theme).toBe('dark')
  await page.keyboard.press('Alt+ArrowLeft')
  await expect(page.getByRole('heading', { name: 'Compare', level: 1 })).toBeVisible()
  await page.keyboard.press('F1')
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toContainText('finds whatever can be done')
})

test('everything in twice its size can still be reached, and the size is kept', async ({ launch }) => {
  const first = await launch({ size: { width: 1280, height: 800 } })
  const { page } = first
  const width = () => page.evaluate(() => window.innerWidth)
  await expect.poll(width).toBe(1280)
  for (let k = 0; k < 8; k++) await page.keyboard.press('Control+=')
  await expect.poll(width).toBe(640)
  // The names of the views are gone, their buttons are not.
  await expect(page.getByText('Compare', { exact: true })).toBeHidden()
  for (const view of ['Models', 'New run', 'Runs', 'Layers', 'Lab', 'Compare', 'Prompt', 'Settings']) {
    await goTo(page, view)
    const heading = page.getByRole('heading', { name: view, level: 1 })
    await expect(heading).toBeVisible()
    // Nothing is cut off for good: what is wider than the window scrolls.
    const [whole, seen] = await page.evaluate(() => {
      const main = document.querySelector('main')!
      main.scrollLeft = 10_000
      return [main.scrollWidth, main.scrollLeft + main.clientWidth] as const
    })
    expect(Math.abs(whole - seen)).toBeLessThan(2)
    await page.evaluate(() => (document.querySelector('main')!.scrollLeft = 0))
  }
  await first.close()
  const again = await launch()
  await expect.poll(() => again.page.evaluate(() => window.innerWidth)).toBe(640)
  await again.page.keyboard.press('Control+0')
  await expect.poll(async () => (await asked(again.page, 'settings', {})).zoom).toBe(1)
})

test('the tour leads a newcomer from a model to a comparison', async ({ launch }) => {
  const { page } = await launch({ settings: { tour: 'new' } })
  const tour = page.getByRole('region', { name: 'Tour' })
  await tour.getByRole('button', { name: 'Take the tour' }).click()
  await expect(tour).toContainText('Press Quantize')
  const quantize = page.getByRole('button', { name: 'Quantize' })
  await expect(quantize).toHaveAttribute('data-tour-here')
  await quantize.click()
  await expect(tour).toContainText('Press Start')
  await page.getByRole('button', { name: /^Start/ }).click()
  await expect(tour).toContainText('The map fills')
  await untilNewestIs(page, 'finished')
  await expect(tour).toContainText('open Layers')
  // Elsewhere, it shows the way back.
  await goTo(page, 'Settings')
  await tour.getByRole('button', { name: 'Show me' }).click()
  await goTo(page, 'Layers')
  await expect(tour).toContainText('Every weight')
  await goTo(page, 'Lab')
  await expect(tour).toContainText('Each card is a recipe')
  await goTo(page, 'Compare')
  await expect(tour).toContainText('Every run by size and quality')
  await tour.getByRole('button', { name: 'Done' }).click()
  await expect(tour).toBeHidden()
  expect((await asked(page, 'settings', {})).tour).toBe('over')
})
