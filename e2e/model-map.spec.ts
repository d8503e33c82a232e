// A person looks for the linears that lose most, where the bytes went, and where the next ones would be spent best.
import path from 'node:path'
import { bits, percent, size } from '../electron/contract/quantities.ts'
import { patternFor } from '../electron/contract/overrides.ts'
import { expect, test } from './app.ts'
import { demoModel, recipeOf, runsBefore } from './runs.ts'
import { asked, goTo, reportIn } from './steps.ts'

const place = { view: 'runs', run: 1 }
const size1280 = { width: 1280, height: 800 }

test('the first screen of a result has every key number and the map, coloured by what is chosen', async ({
  launch,
}) => {
  const { page, data } = await launch({
    settings: { place },
    size: size1280,
    before: runsBefore({ method: 'billm', name: 'looked at' }),
  })
  const report = await reportIn(path.join(data, 'runs', '1'))
  const main = page.getByRole('main')
  const { packed, original } = report.perplexity[0]!
  const shown = [
    packed.value!.toFixed(2),
    original.value!.toFixed(2),
    ...Object.values(report.bits).map(bits),
    size(report.sizes.file_bytes),
  ]
  for (const text of shown) await expect(main.getByText(text).first()).toBeInViewport()
  const map = page.getByRole('grid', { name: /Linears of the model/ })
  await expect(map).toBeInViewport({ ratio: 1 })
  await expect(map.getByRole('gridcell')).toHaveCount(28)

  // Another number: the tiles have other colours, and the scale says what they mean.
  const tile = map.getByRole('gridcell', { name: /^Layer 0, v,/ })
  const before = await tile.evaluate((one) => one.style.background)
  await page.getByRole('combobox', { name: 'Coloured by' }).selectOption({ label: 'linear bits' })
  await expect(page.getByRole('grid', { name: /coloured by their linear bits/ })).toBeVisible()
  expect(await tile.evaluate((one) => one.style.background)).not.toBe(before)
  const layer = report.layers.find(({ name }) => /\.0\..*v_proj$/.test(name))!
  await expect(tile).toHaveAccessibleName(new RegExp(`linear bits ${bits(layer.linear_bits)}`))
  await expect(tile).toHaveAccessibleName(
    new RegExp(`salient columns ${percent(layer.salient_columns! / layer.columns)}`),
  )

  // By keys to the linear below, and in.
  await tile.focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Layers', level: 1 })).toBeVisible()
  await expect(page.getByText('Layer 1, v', { exact: true }).first()).toBeVisible()

  // The same number by depth.
  await goTo(page, 'Runs')
  await page.getByRole('tab', { name: 'By depth' }).click()
  await expect(page.getByRole('img', { name: /^linear bits by decoder layer/ })).toBeVisible()
})

test('every byte of the files is in one bar', async ({ launch }) => {
  const { page } = await launch({
    settings: { place: { ...place, section: 'bytes' } },
    before: runsBefore({ method: 'signum-rc', parameters: { second_plane: 0.25 } }),
  })
  await expect(page.getByRole('heading', { name: 'Where the bytes go' })).toBeVisible()
  const total = await asked(page, 'bytes', { id: 1 })
  const cut = await asked(page, 'linearBytes', { id: 1 })
  const sum = (key: 'signs' | 'second' | 'scales' | 'order') => cut.linears.reduce((all, one) => all + one[key], 0)
  for (const key of ['signs', 'second', 'scales', 'order'] as const) expect(sum(key)).toBeCloseTo(total[key], 6)
  expect(cut.embeddings).toBe(total.embeddings)
  expect(cut.rest + cut.layers.reduce((all, { rest }) => all + rest, 0)).toBe(total.rest)
  const inLayers = Object.values(total).reduce((a, b) => a + b, 0) - cut.embeddings - cut.rest - cut.headers
  await expect(page.getByText(`${size(Math.round(inLayers))} in decoder layers`)).toBeVisible()
  await expect(page.getByRole('img', { name: /by decoder layer/ })).toBeVisible()
  await page.getByText('By kind', { exact: true }).click()
  await expect(page.getByRole('img', { name: /by kind of linear/ })).toBeVisible()
})

test('where one more bit would gain most: measured once, ranked, and on the map', async ({ launch }) => {
  test.setTimeout(240_000)
  const { page } = await launch({
    settings: { place },
    before: runsBefore({ method: 'signum-rc', parameters: { second_plane: 0 }, sequences: 4 }),
  })
  await page.getByRole('tab', { name: 'Sensitivity' }).click()
  await expect(page.getByText('Not measured yet')).toBeVisible()
  await page.getByRole('button', { name: 'Measure', exact: true }).click()
  await expect(page.getByRole('progressbar', { name: /Measuring candidates/ })).toBeVisible()
  // Given up, nothing is lost but the time.
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByText('Not measured yet')).toBeVisible()
  await page.getByRole('button', { name: 'Measure', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'Where more bits would gain most' })).toBeVisible({ timeout: 180_000 })

  const { known } = await asked(page, 'gains', { id: 1 })
  const slope = ({ next }: NonNullable<typeof known>['linears'][number]) => (next ? next.saved / next.bytes : 0)
  const best = known!.linears.toSorted((a, b) => slope(b) - slope(a))[0]!
  const first = page
    .getByRole('group', { name: /what more bits would gain/ })
    .getByRole('row')
    .nth(1)
  await expect(first.getByRole('cell').first()).toHaveAttribute('title', best.name)
  await expect(first).toContainText(size(Math.round(best.next!.bytes)))
  await expect(page.getByRole('grid', { name: /coloured by their gain per kB/ })).toBeVisible()
})

test('linears of a mixed run are told apart by their recipes', async ({ launch }) => {
  const keep = patternFor('model.layers.0.self_attn.k_proj')
  const { page } = await launch({
    settings: { place },
    before: async (workbench, data) => {
      const recipe = {
        ...recipeOf({ method: 'rtn' }),
        overrides: [
          { match: keep, keep: true as const },
          { match: 'down_proj', parameters: { bits: 4 } },
        ],
      }
      const ending = await workbench.quantize({
        model: demoModel,
        recipe,
        out: path.join(data, 'runs', '1'),
        name: null,
      })
      expect(ending.kind, JSON.stringify(ending)).toBe('finished')
    },
  })
  await page.getByRole('combobox', { name: 'Coloured by' }).selectOption('recipe')
  const colours = page.getByRole('list', { name: 'Colours of the map' })
  await expect(colours.getByRole('listitem')).toHaveText(['kept', 'rtn', 'rtn bits=4'])
})
