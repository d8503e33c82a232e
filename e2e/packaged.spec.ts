// The packaged program on its own: nothing of the checkout is in reach of it but what lies in the package.
import { access, constants, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from './app.ts'
import { goTo, reportIn, untilNewestIs } from './steps.ts'

test('the packaged program shows the bundled model, and quantizes it with its own worker', async ({ launch }) => {
  const { app, page, data } = await launch()
  const { resources, ...about } = await app.evaluate(({ app }) => ({
    packaged: app.isPackaged,
    version: app.getVersion(),
    resources: process.resourcesPath,
  }))
  const manifest = path.resolve(import.meta.dirname, '..', 'package.json')
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
  expect(about).toEqual({ packaged: true, version })
  expect(path.relative(process.env['SIGNUM_PACKAGED'] ?? '', resources)).toBe(path.join('..', 'resources'))
  const worker = path.join(resources, 'resources', 'worker', 'signum-worker')
  await access(process.platform === 'win32' ? `${worker}.exe` : worker, constants.X_OK)

  await expect(page.getByRole('heading', { name: 'Models', level: 1 })).toBeVisible()
  await expect(page.getByRole('button', { name: /signum-stories-4m/ })).toBeVisible()
  await goTo(page, 'New run')
  await page.getByRole('button', { name: /^Start/ }).click()
  const id = await untilNewestIs(page, 'finished')
  const report = await reportIn(path.join(data, 'runs', String(id)))
  expect(report.bits.file).toBeGreaterThan(0)
})
