// A person lays pictures over each other, and finds the way in a matrix with a touchpad, a double click and the map.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'

const linear = 'model.layers.1.mlp.gate_proj'
const matrix = (page: Page) => page.getByTestId('matrix').first()
const look = (page: Page) =>
  matrix(page).evaluate((canvas) => {
    const { cell, left, top } = (canvas as HTMLCanvasElement).dataset
    return { cell: Number(cell), left: Number(left), top: Number(top) }
  })
const ready = (page: Page) => expect(matrix(page)).toHaveAttribute('data-state', 'ready', { timeout: 20_000 })
const colourAt = (page: Page, row: number, column: number) =>
  matrix(page).evaluate(
    (canvas, [row, column]) =>
      (canvas as HTMLCanvasElement & { colourAt: (row: number, column: number) => number[] | null }).colourAt(
        row,
        column,
      ),
    [row, column] as const,
  )

test('pictures are laid over each other, said in the legend and saved with the picture', async ({ launch }) => {
  const place = { view: 'layers', run: 1, linear, picture: 'sign' }
  const { app, page, data } = await launch({
    settings: { theme: 'light', place },
    before: runsBefore({ method: 'signum-rc', parameters: { second_plane: 0.25 } }),
  })
  await ready(page)
  const before = (await colourAt(page, 3, 5))!
  await page.getByRole('main').getByRole('button', { name: 'Layers', exact: true }).click()
  const layer = (name: string) => page.getByRole('switch', { name, exact: true })
  await layer('Error').check()
  await page.getByRole('slider', { name: 'How strongly: Error' }).fill('0.4')
  await page.keyboard.press('Escape')
  await ready(page)
  await expect(page.getByTestId('over')).toHaveText([/^Error, 40 %/])
  const blended = (await colourAt(page, 3, 5))!
  expect(blended).not.toEqual(before)
  // Switched off, and on again as strongly as before.
  await page
    .getByRole('main')
    .getByRole('button', { name: /^Layers/ })
    .click()
  await layer('Error').uncheck()
  await expect.poll(() => colourAt(page, 3, 5)).toEqual(before)
  await layer('Error').check()
  await layer('Salient columns').check()
  await page.keyboard.press('Escape')
  await ready(page)
  await expect(page.getByTestId('over')).toHaveText([/^Error, 40 %/, /^Salient columns, 55 %/])

  const file = path.join(data, 'picture.png')
  await app.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath })
  }, file)
  await page.getByRole('button', { name: 'Save picture' }).click()
  await expect(page.getByText(`Saved as ${file}`)).toBeVisible()
  const png = await readFile(file)
  const { height } = await matrix(page).evaluate((canvas) => ({ height: (canvas as HTMLCanvasElement).height }))
  // Rulers, and five lines of caption: two of them say what lies over the picture.
  expect(png.readUInt32BE(20)).toBeGreaterThan(height + 20 + 5 * 17)
})

test('two fingers move it, a double click comes nearer, the map shows where and leads elsewhere', async ({
  launch,
}) => {
  const place = { view: 'layers', run: 1, linear, picture: 'sign' }
  const { page } = await launch({
    settings: { place },
    size: { width: 1280, height: 800 },
    before: runsBefore({ method: 'rtn', parameters: { bits: 2 } }),
  })
  await ready(page)
  const map = page.getByTestId('overview')
  await expect(map).toHaveCount(0)
  const whole = await look(page)
  const box = (await matrix(page).boundingBox())!
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  await page.mouse.dblclick(middle.x, middle.y)
  await expect.poll(async () => (await look(page)).cell).toBeCloseTo(2.5 * whole.cell, 3)
  await page.getByRole('application').first().press('1')
  await expect.poll(async () => (await look(page)).cell).toBe(16)
  await expect(map).toBeVisible()

  const before = await look(page)
  await page.mouse.move(middle.x, middle.y)
  await page.mouse.wheel(32, 16)
  await expect.poll(async () => (await look(page)).left).toBeCloseTo(before.left + 2, 3)
  expect((await look(page)).top).toBeCloseTo(before.top + 1, 3)
  expect((await look(page)).cell).toBe(16)

  // The upper left corner of the map is that of the matrix: it comes to the middle of the view.
  const at = (await map.boundingBox())!
  await page.mouse.click(at.x + 2, at.y + 2)
  await expect.poll(async () => (await look(page)).top).toBeLessThan(0)
  await ready(page)
  await page.keyboard.press('0')
  await expect(map).toHaveCount(0)
})
