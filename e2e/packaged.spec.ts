// The packaged program on its own: nothing of the checkout is in reach of it but what lies in the package.
import path from 'node:path'
import { access } from 'node:fs/promises'
import { expect, test } from './app.ts'

test('the packaged program opens its window on the models, the bundled one among them', async ({ launch }) => {
  const { app, page, data } = await launch()
  const about = await app.evaluate(({ app }) => ({
    packaged: app.isPackaged,
    resources: process.resourcesPath,
    version: app.getVersion(),
  }))
  expect(about).toMatchObject({ packaged: true, version: '0.1.0' })
  await expect(page.getByRole('heading', { name: 'Models' })).toBeVisible()
  await expect(page.getByText('signum-stories-4m').first()).toBeVisible()
  await access(path.join(data, 'history.db'))
})
