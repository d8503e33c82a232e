// A person moves about in the weights of one run and of two, saves what is seen, and the graphics card may go away meanwhile.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'
import { goTo } from './steps.ts'

const matrix = (page: Page, which = 0) => page.getByTestId('matrix').nth(which)
type Look = { state: string; kind: string; level: string; cell: string; left: string; top: string }
const look = (page: Page, which = 0) => matrix(page, which).evaluate((canvas) => ({ ...canvas.dataset }) as Look)
const ready = (page: Page, kind: string, which = 0) =>
  expect
    .poll(async () => {
      const { state, kind } = await look(page, which)
      return `${kind} ${state}`
    })
    .toBe(`${kind} ready`)
const cellOf = async (page: Page) => Number((await look(page)).cell)

const choose = (page: Page, picture: string) =>
  page.getByRole('radiogroup', { name: 'Picture' }).getByText(picture, { exact: true }).click()

test('the wheel keeps what is under the pointer, the mouse drags it along', async ({ launch }) => {
  const { page } = await launch({ before: runsBefore({ method: 'signum-rc', parameters: { second_plane: 0.25 } }) })
  await goTo(page, 'Layers')
  await page.getByRole('gridcell', { name: /^Layer 1, down,/ }).click()
  await choose(page, 'Quantized')
  await ready(page, 'quantized')
  const box = (await matrix(page).boundingBox())!
  const at = { x: box.width * 0.6, y: box.height / 2 }
  const under = ({ left, top, cell }: Look, { x, y } = at) => ({
    row: Number(top) + y / Number(cell),
    column: Number(left) + x / Number(cell),
  })
  const near = (a: { row: number; column: number }, b: { row: number; column: number }) => {
    expect(Math.abs(a.row - b.row)).toBeLessThan(0.5)
    expect(Math.abs(a.column - b.column)).toBeLessThan(0.5)
  }
  await page.mouse.move(box.x + at.x, box.y + at.y)
  const weight = under(await look(page))
  for (let turns = 0; turns < 16; turns++) await page.mouse.wheel(0, -120)
  await expect.poll(() => cellOf(page)).toBeGreaterThan(40)
  await ready(page, 'quantized')
  expect((await look(page)).level).toBe('0')
  near(under(await look(page)), weight)

  await page.mouse.down()
  await page.mouse.move(box.x + at.x - 120, box.y + at.y + 60, { steps: 4 })
  await page.mouse.up()
  await expect
    .poll(async () => under(await look(page), { x: at.x - 120, y: at.y + 60 }).column)
    .toBeCloseTo(weight.column, 0)
  near(under(await look(page), { x: at.x - 120, y: at.y + 60 }), weight)
})

test('two runs under one camera', async ({ launch }) => {
  const { page } = await launch({
    before: runsBefore({ method: 'billm', name: 'one' }, { method: 'arb-rc', name: 'two' }),
  })
  await goTo(page, 'Layers')
  await page.getByLabel('Run', { exact: true }).selectOption('one')
  await page.getByRole('radio', { name: 'Side by side' }).check()
  await page.getByLabel('Beside it').selectOption('Beside it: run two')
  await choose(page, 'Error')
  await ready(page, 'error')
  await ready(page, 'error', 1)
  await page.getByRole('application').first().focus()
  await page.keyboard.press('1')
  await expect.poll(() => cellOf(page)).toBe(16)
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Shift+ArrowDown')
  await expect
    .poll(async () => {
      const [first, second] = [await look(page), await look(page, 1)]
      return [first.cell, first.left, first.top].join() === [second.cell, second.left, second.top].join()
    })
    .toBe(true)
  // Both runs are read at the weight that the keyboard points at.
  const readouts = page.getByTestId('readout')
  await expect(readouts).toHaveCount(2)
  for (const k of [0, 1])
    await expect(
      readouts
        .nth(k)
        .getByText(/^(sparse|concentrated|–)$/)
        .last(),
    ).toBeVisible()
  await expect(readouts.nth(1)).not.toContainText('Row –')
  // The next linear has another shape: it is seen whole, in both panes, and nothing outside it is asked for.
  await page.getByRole('button', { name: 'Next linear' }).click()
  await ready(page, 'error')
  await ready(page, 'error', 1)
  expect(await cellOf(page)).toBeLessThan(16)
})

test('a picture is saved with its caption', async ({ launch }) => {
  const { app, page, data } = await launch({ before: runsBefore({ method: 'rtn', parameters: { bits: 2 } }) })
  await goTo(page, 'Layers')
  await ready(page, 'quantized')
  const file = path.join(data, 'picture.png')
  await app.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath })
  }, file)
  await page.getByRole('button', { name: 'Save picture' }).click()
  await expect(page.getByText(`Saved as ${file}`)).toBeVisible()
  const png = await readFile(file)
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  const { width, height } = await matrix(page).evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement
    return { width, height }
  })
  expect(png.readUInt32BE(16)).toBeGreaterThan(width)
  expect(png.readUInt32BE(20)).toBeGreaterThan(height + 60)
})

test('the graphics card goes away and comes back', async ({ launch }) => {
  const { page } = await launch({ before: runsBefore({ method: 'rtn', parameters: { bits: 2 } }) })
  await goTo(page, 'Layers')
  await choose(page, 'Sign')
  await ready(page, 'sign')
  const colour = () =>
    matrix(page).evaluate((canvas) =>
      (canvas as HTMLCanvasElement & { colourAt: (row: number, column: number) => number[] | null }).colourAt(100, 100),
    )
  const before = await colour()
  expect(before).not.toBe(null)
  await matrix(page).evaluate(async (canvas) => {
    const card = (canvas as HTMLCanvasElement).getContext('webgl2')!.getExtension('WEBGL_lose_context')!
    card.loseContext()
    await new Promise((done) => setTimeout(done, 100))
    card.restoreContext()
  })
  await expect.poll(colour).toEqual(before)
})
