// A person looks at the signs of a layer: every pixel must be what the packed file says.
import path from 'node:path'
import type { Page } from '@playwright/test'
import { decodeLinear, layoutOf } from '../electron/packed/decode.ts'
import { openPackedModel } from '../electron/packed/model.ts'
import { readOrder } from '../electron/packed/parts.ts'
import { bitAt, rowBytes } from '../electron/packed/planes.ts'
import { weightText } from '../renderer/drawing/matrix/paint.ts'
import { expect, test } from './app.ts'
import { runsBefore } from './runs.ts'

const linear = 'model.layers.1.self_attn.v_proj'

/** The first signs of every weight, in the order of the input columns. */
async function signsIn(
  packed: string,
): Promise<{ rows: number; columns: number; positive: boolean[]; weights: Float32Array }> {
  const model = await openPackedModel(packed)
  try {
    const layout = layoutOf(model, linear)
    const { rows, columns } = layout
    const plane = await model.read(`${linear}.sign`)
    const order = await readOrder(model, layout)
    const positive = new Array<boolean>(rows * columns)
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const input = order ? order[column]! : column
        positive[row * columns + input] = bitAt(plane, row * rowBytes(columns), column) === 1
      }
    }
    return { rows, columns, positive, weights: await decodeLinear(model, linear) }
  } finally {
    await model.close()
  }
}

/** Where the matrix lies in the window, in CSS pixels. */
async function matrixIn(page: Page) {
  const canvas = page.getByTestId('matrix').first()
  await expect(canvas).toHaveAttribute('data-state', 'ready', { timeout: 20_000 })
  const box = (await canvas.boundingBox())!
  const [cell, left, top] = await Promise.all(
    ['data-cell', 'data-left', 'data-top'].map(async (name) => Number(await canvas.getAttribute(name))),
  )
  return { box, cell: cell!, left: left!, top: top! }
}

/** The window's pixels: RGBA, row by row. */
async function pixels(page: Page): Promise<{ width: number; rgb: (x: number, y: number) => [number, number, number] }> {
  const png = (await page.screenshot()).toString('base64')
  const { width, data } = await page.evaluate(async (picture) => {
    const image = new Image()
    image.src = `data:image/png;base64,${picture}`
    await image.decode()
    const canvas = new OffscreenCanvas(image.width, image.height)
    const context = canvas.getContext('2d')!
    context.drawImage(image, 0, 0)
    return { width: image.width, data: [...context.getImageData(0, 0, image.width, image.height).data] }
  }, png)
  return {
    width,
    rgb: (x, y) => {
      const at = 4 * (Math.floor(y) * width + Math.floor(x))
      return [data[at]!, data[at + 1]!, data[at + 2]!]
    },
  }
}

for (const [theme, plus, minus] of [
  ['light', [0x21, 0x66, 0xac], [0xe0, 0x82, 0x14]],
  ['dark', [0x6a, 0xae, 0xd6], [0xf0, 0xa3, 0x5e]],
] as const) {
  test(`every pixel of the sign plane is the decoder's bit, ${theme}`, async ({ launch }) => {
    const place = { view: 'layers', run: 1, linear, picture: 'sign' }
    const { page, data } = await launch({
      settings: { theme, place },
      before: runsBefore({ method: 'signum-rc', parameters: { second_plane: 0.25 } }),
    })
    const { rows, columns, positive } = await signsIn(path.join(data, 'runs', '1', 'packed'))
    const { box, cell, left, top } = await matrixIn(page)
    expect(cell).toBeGreaterThan(2)
    const { rgb } = await pixels(page)
    let wrong = 0
    let ones = 0
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const x = box.x + (column + 0.5 - left) * cell
        const y = box.y + (row + 0.5 - top) * cell
        const is = positive[row * columns + column]!
        ones += Number(is)
        const wanted = is ? plus : minus
        const found = rgb(x, y)
        if (wanted.some((part, k) => Math.abs(part - found[k]!) > 3)) wrong++
      }
    }
    expect(wrong).toBe(0)
    // Both signs are there, or nothing was looked at.
    expect(ones).toBeGreaterThan(0.3 * rows * columns)
    expect(ones).toBeLessThan(0.7 * rows * columns)
  })
}

test('a weight that is pointed at says what it was and what it became', async ({ launch }) => {
  const place = { view: 'layers', run: 1, linear, picture: 'quantized' }
  const { page, data } = await launch({ settings: { place }, before: runsBefore({ method: 'billm' }) })
  const { weights, columns } = await signsIn(path.join(data, 'runs', '1', 'packed'))
  const { box, cell, left, top } = await matrixIn(page)
  const [row, column] = [37, 101]
  await page.mouse.move(box.x + (column + 0.5 - left) * cell, box.y + (row + 0.5 - top) * cell)
  const quantized = weightText(weights[row * columns + column]!)
  await expect(page.getByTestId('readout').getByText(quantized, { exact: true })).toBeVisible()
})

test('from the whole matrix to single weights by keys alone', async ({ launch }) => {
  const place = { view: 'layers', run: 1, linear, picture: 'sign' }
  const { page } = await launch({ settings: { place }, before: runsBefore({ method: 'rtn' }) })
  const before = await matrixIn(page)
  await page.getByRole('application').first().focus()
  await page.keyboard.press('1')
  const canvas = page.getByTestId('matrix').first()
  await expect.poll(async () => Number(await canvas.getAttribute('data-cell'))).toBeGreaterThan(15.9)
  const { left } = await matrixIn(page)
  await page.keyboard.press('ArrowRight')
  await expect.poll(async () => Number(await canvas.getAttribute('data-left'))).not.toBe(left)
  await page.keyboard.press('0')
  await expect.poll(async () => Number(await canvas.getAttribute('data-cell'))).toBeCloseTo(before.cell, 3)
})
