// A person asks what a run did to a layer, and in how many weights two runs differ: every number must be the one in the files.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { ElectronApplication, Page } from '@playwright/test'
import { packedValue, weightsOf } from '../electron/contract/packed-tile.ts'
import { pairOf, tilePath, tileShape, type PictureKind } from '../electron/contract/pictures.ts'
import { decodeLinear, layoutOf } from '../electron/packed/decode.ts'
import { openPackedModel } from '../electron/packed/model.ts'
import { bitAt, rowBytes, setBits } from '../electron/packed/planes.ts'
import { openSafetensors } from '../electron/packed/safetensors.ts'
import { scalarsToF32 } from '../electron/packed/scalars.ts'
import { readOrder } from '../electron/packed/parts.ts'
import { weightText } from '../renderer/drawing/matrix/paint.ts'
import { expect, test } from './app.ts'
import { demoModel, runsBefore } from './runs.ts'

const linear = 'model.layers.1.mlp.down_proj'
const layer = 'layer-00001.safetensors'

/** What the files say: stored signs in the order of the input columns, weights, salient columns. */
async function inFile(packed: string) {
  const model = await openPackedModel(packed)
  try {
    const layout = layoutOf(model, linear)
    const { rows, columns } = layout
    const plane = await model.read(`${linear}.sign`)
    const order = await readOrder(model, layout)
    const positive = new Uint8Array(rows * columns)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        positive[row * columns + (order?.[column] ?? column)] = bitAt(plane, row * rowBytes(columns), column)
    const salient = 'salient_columns' in layout ? setBits(await model.read(`${linear}.salient`), columns) : []
    return { rows, columns, positive, salient, weights: await decodeLinear(model, linear) }
  } finally {
    await model.close()
  }
}

async function tensorIn(file: string, name: string): Promise<Float32Array> {
  const opened = await openSafetensors(file)
  try {
    const { dtype } = opened.tensors.get(name)!
    return scalarsToF32(dtype.toLowerCase() as 'f16', await opened.read(name))
  } finally {
    await opened.close()
  }
}
const originalWeights = () => tensorIn(path.join(demoModel, 'model.safetensors'), `${linear}.weight`)

const matrix = (page: Page) => page.getByTestId('matrix').first()
const ready = (page: Page) => expect(matrix(page)).toHaveAttribute('data-state', 'ready', { timeout: 20_000 })
const packedOf = (data: string, run: number) => path.join(data, 'runs', String(run), 'packed')
const open = { view: 'layers', run: 1, linear, picture: 'quantized' } as const

/** The save dialog cannot be driven; it answers as if this had been chosen in it. */
const saveAs = (app: ElectronApplication, file: string): Promise<void> =>
  app.evaluate(({ dialog }, chosen) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: chosen })
  }, file)
async function csvIn(file: string): Promise<string[][]> {
  const lines = (await readFile(file, 'utf8')).split('\r\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => line.split(','))
}

test('two runs differ in as many signs as their files do, and every cell says by how much', async ({ launch }) => {
  const { page, data } = await launch({
    settings: { place: open },
    before: runsBefore({ method: 'arb-rc', name: 'one' }, { method: 'billm', name: 'two' }),
  })
  await ready(page)
  const [a, b] = [await inFile(packedOf(data, 1)), await inFile(packedOf(data, 2))]
  const original = await originalWeights()
  await page.getByRole('radio', { name: 'Difference' }).check()
  await page.getByLabel('Against').selectOption('Against: run two')
  await ready(page)

  const flips = a.positive.map((bit, k) => Number(bit !== b.positive[k]))
  const count = flips.reduce((total, flip) => total + flip, 0)
  expect(count).toBeGreaterThan(0)
  const among = flips.filter((_, k) => a.salient.includes(k % a.columns))
  const percent = (part: number, of: number) => `${((100 * part) / of).toPrecision(3)} %`
  const panel = page.getByTestId('difference')
  await expect(panel.getByText(percent(count, flips.length), { exact: true }).first()).toHaveAttribute(
    'title',
    `${count.toLocaleString('en-US')} of ${flips.length.toLocaleString('en-US')}`,
  )
  const salient = among.reduce((total, flip) => total + flip, 0)
  await expect(panel.getByText(percent(salient, among.length), { exact: true }).first()).toBeVisible()

  const cells = (kind: PictureKind) =>
    page.evaluate(
      async (tiles) => {
        const found: number[][] = []
        for (const tile of tiles) found.push([...new Uint8Array(await (await fetch(tile)).arrayBuffer())])
        return found
      },
      [0, 1, 2].map((column) => tilePath(pairOf(1, 2), linear, kind, { level: 0, row: 0, column })),
    )
  const expected = (kind: PictureKind, of: (k: number) => number) =>
    [0, 1, 2].map((column) => {
      const size = tileShape(a, kind, { level: 0, row: 0, column })!
      return Array.from({ length: size.rows * size.columns }, (_, k) =>
        of(Math.floor(k / size.columns) * a.columns + column * 256 + (k % size.columns)),
      )
    })
  const bits = (await cells('flipped')).map((bytes, column) => {
    const size = weightsOf(a, { level: 0, row: 0, column })!
    const words = new Uint32Array(Uint8Array.from(bytes).buffer)
    return Array.from({ length: size.rows * size.columns }, (_, k) =>
      packedValue(words, size, { width: 1, steps: 1 }, Math.floor(k / size.columns), k % size.columns),
    )
  })
  expect(bits).toEqual(expected('flipped', (k) => flips[k]!))

  await page.getByRole('radio', { name: 'Error change' }).check()
  await ready(page)
  await expect(matrix(page)).toHaveAttribute('data-kind', 'change')
  const size = (weights: Float32Array, k: number) => Math.abs(Math.fround(weights[k]! - original[k]!))
  const changes = (await cells('change')).map((bytes) => [...new Float32Array(Uint8Array.from(bytes).buffer)])
  expect(changes).toEqual(expected('change', (k) => Math.fround(size(b.weights, k) - size(a.weights, k))))

  // Both runs are read at the weight that is pointed at.
  await page.getByRole('application').first().focus()
  await page.keyboard.press('Shift+ArrowDown')
  const readouts = page.getByTestId('readout')
  await expect(readouts).toHaveCount(2)
  const place = await readouts.first().locator('dd').allTextContents()
  const at = Number(place[0]) * a.columns + Number(place[1])
  await expect(readouts.nth(0).getByText(weightText(a.weights[at]!), { exact: true })).toBeVisible()
  await expect(readouts.nth(1).getByText(weightText(b.weights[at]!), { exact: true })).toBeVisible()

  // Against the original weights only signs can be compared.
  await page.getByLabel('Against').selectOption('Against: original weights')
  await expect(matrix(page)).toHaveAttribute('data-kind', 'flipped')
  const lost = a.positive.filter((bit, k) => original[k] !== 0 && (bit === 1) !== original[k]! > 0).length
  const signs = original.filter((value) => value !== 0).length
  await expect(panel.getByText(percent(lost, signs), { exact: true }).first()).toBeVisible()
  await expect(page.getByRole('radio', { name: 'Error change' })).toBeDisabled()

  // One click brings the original beside the run.
  await page.getByRole('radio', { name: 'One' }).check()
  await page.getByRole('radio', { name: 'Side by side' }).check()
  await expect(page.getByTestId('matrix')).toHaveCount(2)
  await expect(page.getByTestId('matrix').nth(1)).toHaveAttribute('data-kind', 'original')
})

test('salient columns are those of the file, by the Hessian that the run kept', async ({ launch }) => {
  const { app, page, data } = await launch({
    settings: { place: open },
    before: runsBefore({ method: 'billm', name: 'one' }),
  })
  await ready(page)
  const { salient, columns, rows, weights } = await inFile(packedOf(data, 1))
  const original = await originalWeights()
  const hessian = await tensorIn(path.join(data, 'runs', '1', 'diagnostics', layer), `${linear}.hessian_diagonal`)
  expect(hessian).toHaveLength(columns)
  const byWeight = salient.toSorted((one, two) => hessian[two]! - hessian[one]! || one - two)

  await page.getByRole('button', { name: 'Salient columns' }).click()
  const grid = page.getByRole('grid', { name: 'Salient columns' })
  const cells = (row: number) => grid.getByRole('row').nth(row).getByRole('gridcell')
  await expect(cells(1).first()).toHaveText(String(byWeight[0]))
  await expect(cells(1).nth(1)).toHaveText(weightText(hessian[byWeight[0]!]!, 3))
  await expect(cells(2).first()).toHaveText(String(byWeight[1]))
  await expect(grid).toHaveAttribute('aria-rowcount', String(salient.length + 1))

  // The edge above the matrix has the same number for the column that Enter goes to.
  await grid.focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('edge-above').locator('canvas')).toHaveAttribute(
    'data-value',
    weightText(hessian[byWeight[1]!]!, 3),
  )
  await expect(page.getByTestId('readout').locator('dd').nth(1)).toHaveText(String(byWeight[1]))
  await grid.getByRole('button', { name: 'Col.' }).click()
  await expect(cells(1).first()).toHaveText(String(salient[0]))

  const file = path.join(data, 'columns.csv')
  await saveAs(app, file)
  await page.getByRole('button', { name: 'Save the columns as CSV' }).click()
  await expect.poll(() => csvIn(file).catch(() => [])).toHaveLength(salient.length + 1)
  const [head, ...lines] = await csvIn(file)
  expect(head).toEqual(['column', 'hessian_diagonal', 'hessian_rank', 'rms_error', 'salient_weights'])
  for (const [k, [column, weight, rank, error]] of lines.entries()) {
    const j = salient[k]!
    expect([column, weight]).toEqual([String(j), String(hessian[j]!)])
    expect(Number(rank)).toBe(1 + hessian.filter((other) => other > hessian[j]!).length)
    let squares = 0
    for (let i = 0; i < rows; i++) squares += Math.fround(weights[i * columns + j]! - original[i * columns + j]!) ** 2
    expect(Number(error)).toBeCloseTo(Math.sqrt(squares / rows), 7)
  }
})

test('the worst block, and the next worst, by a key', async ({ launch }) => {
  const { page, data } = await launch({
    settings: { place: open },
    before: runsBefore({ method: 'rtn', parameters: { bits: 2 }, name: 'one' }),
  })
  await ready(page)
  const model = await openPackedModel(packedOf(data, 1))
  const weights = await decodeLinear(model, linear)
  const { rows, columns } = layoutOf(model, linear)
  await model.close()
  const original = await originalWeights()
  const blocks: { row: number; column: number; error: number }[] = []
  for (let row = 0; row < rows; row += 128)
    for (let column = 0; column < columns; column += 128) {
      let [squares, count] = [0, 0]
      for (let i = row; i < Math.min(rows, row + 128); i++)
        for (let j = column; j < Math.min(columns, column + 128); j++, count++)
          squares += (weights[i * columns + j]! - original[i * columns + j]!) ** 2
      blocks.push({ row, column, error: Math.sqrt(squares / count) })
    }
  blocks.sort((one, two) => two.error - one.error)
  const status = page.getByTestId('block')
  for (const [k, { row, column, error }] of blocks.slice(0, 3).entries()) {
    await page.keyboard.press('w')
    await expect(status).toContainText(`Block ${k + 1} of ${blocks.length} by error`)
    await expect(status).toContainText(`rows ${row} to ${Math.min(rows, row + 128) - 1}, columns ${column} to`)
    await expect(status).toContainText(weightText(error, 4))
  }
  // It lies in the middle of what is seen.
  const { row, column } = blocks[2]!
  const middle = async () => {
    const [cell, left, top] = await Promise.all(
      ['data-cell', 'data-left', 'data-top'].map(async (name) => Number(await matrix(page).getAttribute(name))),
    )
    const box = (await matrix(page).boundingBox())!
    return { x: left! + box.width / 2 / cell!, y: top! + box.height / 2 / cell! }
  }
  expect((await middle()).x).toBeCloseTo(column + 64, 0)
  expect((await middle()).y).toBeCloseTo(row + 64, 0)
  await expect(page.getByTestId('marked')).toBeVisible()
  // This run needed no calibration: it says so where its Hessian would be.
  await page.getByRole('button', { name: 'Along the edges' }).click()
  await expect(page.getByText('This run kept no Hessian')).toBeVisible()
})

test('what is in view, and the row that is pointed at, as CSV: the decoder’s numbers to the last digit', async ({
  launch,
}) => {
  const { app, page, data } = await launch({
    settings: { place: open },
    before: runsBefore({ method: 'signum-rc', name: 'one' }),
  })
  await ready(page)
  const { weights, columns, positive } = await inFile(packedOf(data, 1))
  await page.getByRole('application').first().focus()
  await page.keyboard.press('1')
  await expect.poll(async () => Number(await matrix(page).getAttribute('data-cell'))).toBeCloseTo(16, 3)
  await page.keyboard.press('Shift+ArrowDown')
  const row = Number(await page.getByTestId('readout').locator('dd').first().textContent())

  const save = async (name: string | RegExp, file: string) => {
    await saveAs(app, path.join(data, file))
    await page.getByRole('button', { name: 'Save weights as CSV' }).click()
    await page.getByRole('menuitem', { name }).click()
    await expect
      .poll(() =>
        csvIn(path.join(data, file)).then(
          ({ length }) => length > 1,
          () => false,
        ),
      )
      .toBe(true)
    return csvIn(path.join(data, file))
  }
  const [head, ...lines] = await save('Quantized: what is in view', 'view.csv')
  expect(lines.length).toBeGreaterThan(10)
  expect(head!.length).toBeGreaterThan(10)
  for (const [at, ...found] of lines) {
    const expected = head!.slice(1).map((column) => String(weights[Number(at) * columns + Number(column)]))
    expect(found).toEqual(expected)
  }
  const line = await save(`Quantized: row ${row}`, 'row.csv')
  expect(line[0]).toEqual(['column', 'quantized'])
  expect(line.slice(1).map(([, value]) => value)).toEqual(
    [...weights.subarray(row * columns, (row + 1) * columns)].map(String),
  )

  // Signs travel as bits, and are written as 1 and -1.
  await page.getByRole('radio', { name: 'Sign', exact: true }).check()
  await ready(page)
  const signs = await save(`Sign: row ${row}`, 'signs.csv')
  expect(signs.slice(1).map(([, value]) => value)).toEqual(
    [...positive.subarray(row * columns, (row + 1) * columns)].map((bit) => (bit === 1 ? '1' : '-1')),
  )
})
