// How long a matrix of 28,672 x 8,192 weights takes to be seen whole, and how smoothly it moves. The figures are written, never judged:
// what is judged is that the picture is complete, and exact in the end (docs/BENCHMARKS.md).
import { randomFillSync } from 'node:crypto'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from '@playwright/test'
import type { Layout } from '../electron/packed/layout.ts'
import { rolesOf } from '../electron/packed/roles.ts'
import { tensor, writeShard, type TestTensors } from '../electron/packed/testing/write.ts'
import type { Workbench } from '../electron/workbench.ts'
import { expect, test } from './app.ts'
import { demoModel, recipeOf } from './runs.ts'
import { goTo } from './steps.ts'

const [rows, columns] = [28_672, 8192]
const small = 'model.layers.0.self_attn.q_proj'
const signs = 'model.layers.0.mlp.gate_proj'
const codes = 'model.layers.0.mlp.up_proj'
const layouts: Record<string, Layout> = {
  [small]: { method: 'rtn', rows: 64, columns: 64, bits: 1, group: 64, scale_type: 'f16' },
  [signs]: {
    method: 'signum-rc',
    rows,
    columns,
    blocksize: 128,
    second_columns: columns / 4,
    column_scales: true,
    scale_type: 'f16',
    order: `${signs}.order`,
  },
  [codes]: { method: 'rtn', rows, columns, bits: 2, group: 128, scale_type: 'f16' },
}

/** Random bits, and scales between 0.01 and 0.02. */
function randomTensors(name: string, layout: Layout): TestTensors {
  const tensors: TestTensors = {}
  for (const { role, dtype, shape } of rolesOf(layout)) {
    const bytes = randomFillSync(new Uint8Array(shape.reduce((size, one) => size * one, dtype === 'U8' ? 1 : 2)))
    if (role === 'code_zero') for (let k = 0; k < bytes.length; k++) bytes[k]! &= 3
    if (dtype === 'F16') {
      const halves = new Uint16Array(bytes.buffer)
      for (let k = 0; k < halves.length; k++) halves[k] = 0x2100 | (halves[k]! & 0x3ff)
    }
    tensors[`${name}.${role}`] = tensor(dtype, shape, bytes)
  }
  if ('order' in layout && layout.order !== undefined) {
    const order = Uint16Array.from({ length: columns }, (_, k) => (k * 4099) % columns)
    tensors[layout.order] = tensor('U16', [columns], new Uint8Array(order.buffer))
  }
  return tensors
}

/** A finished run whose packed model has large linears in place of its own; the model that it was made from is gone. */
async function largeRun(workbench: Workbench, data: string): Promise<void> {
  const model = path.join(data, 'model')
  await cp(demoModel, model, { recursive: true })
  const recipe = recipeOf({ method: 'rtn' })
  const out = path.join(data, 'runs', '1')
  const ending = await workbench.quantize({ model, recipe, out, name: 'large' })
  expect(ending.kind, JSON.stringify(ending)).toBe('finished')
  await rm(model, { recursive: true })
  const packed = path.join(out, 'packed')
  await rm(packed, { recursive: true })
  await mkdir(packed)
  const weight_map: Record<string, string> = {}
  let total_size = 0
  for (const [k, [name, layout]] of Object.entries(layouts).entries()) {
    const file = `model-0000${k + 1}-of-00003.safetensors`
    const tensors = randomTensors(name, layout)
    await writeShard(path.join(packed, file), { [name]: layout }, tensors)
    for (const [one, { bytes }] of Object.entries(tensors)) {
      weight_map[one] = file
      total_size += bytes.length
    }
  }
  await writeFile(
    path.join(packed, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: { total_size, signum_format: '1' }, weight_map }),
  )
}

/** Milliseconds from the click to the first whole picture and to the exact one, as the window's own clock has them. */
async function opening(page: Page, name: string): Promise<{ first: number; exact: number; sampled: string | null }> {
  const cell = page.getByRole('gridcell', { name: new RegExp(`^Layer 0, ${name},`) })
  await cell.scrollIntoViewIfNeeded()
  const linear = name === 'gate' ? signs : codes
  const seen = page.evaluate(
    ([linear]) =>
      new Promise<{ first: number; exact: number; sampled: string | null }>((done) => {
        let clicked = 0
        let first = 0
        let sampled: string | null = null
        addEventListener('pointerdown', (event) => (clicked = event.timeStamp), { once: true, capture: true })
        const look = () => {
          const { dataset } = document.querySelector<HTMLCanvasElement>('[data-testid=matrix]')!
          const now = performance.now() - clicked
          const here = clicked > 0 && dataset['linear'] === linear
          if (here && first === 0 && (dataset['state'] === 'sampled' || dataset['state'] === 'ready')) {
            first = now
            sampled = dataset['sampled'] ?? null
          }
          if (here && dataset['state'] === 'ready') done({ first, exact: now, sampled })
          else requestAnimationFrame(look)
        }
        look()
      }),
    [linear] as const,
  )
  await cell.click()
  return seen
}

type Frames = { frames: number; perSecond: number; median: number; p95: number; longest: number }

/** Moves at every frame for so many seconds by turns of a wheel, as a touchpad sends them, and notes when frames came. */
const moving = (page: Page, how: 'nothing' | 'pan' | 'zoom', seconds = 3): Promise<Frames> =>
  page.evaluate(
    ([how, seconds]) =>
      new Promise<Frames>((done) => {
        const place = document.querySelector<HTMLElement>('[role=application]')!
        const box = place.getBoundingClientRect()
        const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 }
        const times: number[] = []
        let begun = 0
        const turn = (now: number) => {
          begun ||= now
          times.push(now)
          const part = (now - begun) / 1000 / seconds
          if (part >= 1) return done(told(times))
          const there = part < 0.5 ? 1 : -1
          const more = { ...at, bubbles: true, cancelable: true }
          if (how === 'pan')
            place.dispatchEvent(new WheelEvent('wheel', { ...more, deltaX: 11 * there, deltaY: 7 * there }))
          if (how === 'zoom')
            place.dispatchEvent(new WheelEvent('wheel', { ...more, deltaY: -5 * there, ctrlKey: true }))
          requestAnimationFrame(turn)
        }
        const told = (at: number[]): Frames => {
          const gaps = at.slice(1).map((time, k) => time - at[k]!)
          const sorted = gaps.toSorted((a, b) => a - b)
          const round = (value: number) => Math.round(10 * value) / 10
          return {
            frames: gaps.length,
            perSecond: round((1000 * gaps.length) / (at.at(-1)! - at[0]!)),
            median: round(sorted[Math.floor(sorted.length / 2)]!),
            p95: round(sorted[Math.floor(0.95 * sorted.length)]!),
            longest: round(sorted.at(-1)!),
          }
        }
        requestAnimationFrame(turn)
      }),
    [how, seconds] as const,
  )

type Measured = HTMLCanvasElement & { drawTime: (what: 'sheet' | 0 | 1 | 2) => number | null }
const drawTimes = (page: Page) =>
  page
    .getByTestId('matrix')
    .first()
    .evaluate((one) => {
      const { drawTime, width, height } = one as Measured
      const [sheet, fine, fast, half] = [drawTime('sheet'), drawTime(0), drawTime(1), drawTime(2)]
      return { width, height, sheet, fine, fast, half }
    })

test('a matrix of 28,672 x 8,192 weights opens and moves', async ({ launch }, info) => {
  test.setTimeout(240_000)
  const { page } = await launch({ before: largeRun, size: { width: 1280, height: 800 } })
  await goTo(page, 'Layers')
  const canvas = page.getByTestId('matrix').first()
  await expect(canvas).toHaveAttribute('data-state', 'ready')
  const report: Record<string, unknown> = {}
  report['card'] = await canvas.evaluate((one) => {
    const gl = (one as HTMLCanvasElement).getContext('webgl2')!
    const info = gl.getExtension('WEBGL_debug_renderer_info')
    return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER))
  })
  report['idle'] = await moving(page, 'nothing', 1)
  for (const [name, picture] of [
    ['gate', 'sign'],
    ['up', 'quantized'],
    ['gate', 'quantized'],
  ] as const) {
    await page.getByRole('gridcell', { name: /^Layer 0, q,/ }).click()
    await expect(canvas).toHaveAttribute('data-linear', small)
    await page
      .getByRole('radiogroup', { name: 'Picture' })
      .getByText(picture === 'sign' ? 'Sign' : 'Quantized', { exact: true })
      .click()
    await expect(canvas).toHaveAttribute('data-kind', picture)
    const opened = await opening(page, name)
    await page.getByRole('application').first().focus()
    const whole = { pan: await moving(page, 'pan'), zoom: await moving(page, 'zoom') }
    // Down to single weights, and across them.
    await page.keyboard.press('1')
    await expect.poll(async () => Number(await canvas.getAttribute('data-cell'))).toBe(16)
    await expect(canvas).toHaveAttribute('data-state', 'ready', { timeout: 20_000 })
    const weights = await moving(page, 'pan')
    await expect(canvas).toHaveAttribute('data-state', 'ready', { timeout: 20_000 })
    const draw = await drawTimes(page)
    await page.keyboard.press('0')
    await expect(canvas).toHaveAttribute('data-state', 'ready', { timeout: 60_000 })
    const drawWhole = await drawTimes(page)
    report[`${name} ${picture}`] = { opened, whole, weights, draw, drawWhole }
    await expect(page.getByText('sampled,')).toHaveCount(0)
    expect(opened.exact).toBeGreaterThanOrEqual(opened.first)
  }
  const text = JSON.stringify(report)
  console.log(`viewer-speed ${text}`)
  info.annotations.push({ type: 'figures', description: text })
  const file = path.join(info.project.outputDir, 'viewer-speed.json')
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(report, null, 1)}\n`)
  await info.attach('viewer-speed.json', { path: file })
})
