// What people do again and again in the stories.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, type ElectronApplication, type Page } from '@playwright/test'
import type { Ending } from '../electron/contract/api.ts'
import { runReportSchema, type RunReport } from '../electron/contract/records.ts'
import type { WindowAnswer, WindowContract, WindowRequest } from '../electron/contract/window.ts'
import type {} from '../renderer/client/client.ts'

export const goTo = (page: Page, view: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: view }).click()

/** The file dialog cannot be driven; it answers as if this had been chosen in it. */
export const chooseInDialog = (app: ElectronApplication, file: string): Promise<void> =>
  app.evaluate(({ dialog }, chosen) => {
    dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] })
  }, file)

export async function asked<C extends keyof WindowContract>(
  page: Page,
  name: C,
  request: WindowRequest<C>,
): Promise<WindowAnswer<C>> {
  const ending = await page.evaluate(([call, what]) => window.signum.call(call, what) as Promise<Ending<unknown>>, [
    name,
    request,
  ] as const)
  if (ending.kind !== 'finished') throw new Error(`${name}: ${JSON.stringify(ending)}`)
  return ending.value as WindowAnswer<C>
}

/** Waits until the newest run has this status. */
export async function untilNewestIs(page: Page, status: string): Promise<number> {
  await expect
    .poll(async () => (await asked(page, 'runs', {}))[0]?.status, { timeout: 45_000, intervals: [200] })
    .toBe(status)
  return (await asked(page, 'runs', {}))[0]!.id
}

export const reportIn = async (folder: string): Promise<RunReport> =>
  runReportSchema.parse(JSON.parse(await readFile(path.join(folder, 'report.json'), 'utf8')))
