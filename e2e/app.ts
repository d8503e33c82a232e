// Starts the program for a story, with data of its own, and holds it to its word: whatever it logs as an error fails the story.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { _electron, expect, test as base, type ElectronApplication, type Page } from '@playwright/test'
import type { Settings } from '../electron/contract/settings.ts'
import { openWorkbench, type Workbench } from '../electron/workbench.ts'

export { expect } from '@playwright/test'

export type Options = {
  /** Settings as a person left them: the theme, the window's bounds, the place where it was closed. */
  settings?: Partial<Settings>
  /** The window's size, in place of bounds. */
  size?: { width: number; height: number }
  /** Fills the history before the program starts. */
  before?: (workbench: Workbench, data: string) => Promise<void>
  environment?: Record<string, string>
  arguments?: string[]
}

export type Started = {
  app: ElectronApplication
  page: Page
  /** The folder with the history and the runs (SIGNUM_DATA). */
  data: string
  /** What the window logged as an error so far; a story that provokes one removes it from here. */
  problems: string[]
  /** Ends the program as a person does, by closing its window; a further launch finds the same data. */
  close: () => Promise<void>
}

const root = path.resolve(import.meta.dirname, '..')
// Whatever card this machine has: stories that want one say so.
process.env['SIGNUM_CUDA_WORKER'] = ''
const packaged = process.env['SIGNUM_PACKAGED']
// Chromium's sandbox does not work for root; newer ones want to be asked for WebGL without a graphics card.
const always = [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--enable-unsafe-swiftshader']

export const test = base.extend<{ launch: (options?: Options) => Promise<Started> }>({
  // Playwright wants the first parameter destructured, though nothing is taken from it.
  // eslint-disable-next-line no-empty-pattern
  launch: async ({}, use, info) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'signum-e2e-'))
    const open: Started[] = []
    const problems: string[] = []
    try {
      await use(async (options = {}) => {
        const started = await start(folder, problems, options)
        open.push(started)
        return started
      })
      for (const [index, { page }] of open.entries()) {
        if (info.status === info.expectedStatus || page.isClosed()) continue
        await page.screenshot({ path: info.outputPath(`window-${index + 1}.png`) })
      }
    } finally {
      for (const started of open) await started.close()
      await rm(folder, { recursive: true, force: true })
    }
    expect(problems, 'the window logged no error').toEqual([])
  },
})

async function start(folder: string, problems: string[], options: Options): Promise<Started> {
  const data = path.join(folder, 'data')
  await prepare(data, options)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'ELECTRON_RUN_AS_NODE'))
  const app = await _electron.launch({
    ...(packaged === undefined ? {} : { executablePath: packaged }),
    // The program's own theme, not one that Playwright puts over it.
    colorScheme: null,
    cwd: packaged === undefined ? root : folder, // a package must not find anything of the checkout
    args: [
      ...always,
      `--user-data-dir=${path.join(folder, 'user')}`,
      ...(options.arguments ?? []),
      ...(packaged === undefined ? ['.'] : []),
    ],
    env: { ...(env as Record<string, string>), ...options.environment, SIGNUM_DATA: data },
  })
  // On the context, not the page: what the page says while it starts counts as well.
  app.context().on('weberror', (event) => problems.push(event.error().stack ?? event.error().message))
  app.context().on('console', (message) => {
    if (message.type() === 'error') problems.push(`${message.text()} (${message.location().url})`)
  })
  const page = await app.firstWindow()
  await page.waitForLoadState('domcontentloaded')
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await app.close()
  }
  return { app, page, data, problems, close }
}

/** What is in the history when the program opens it. */
async function prepare(data: string, { settings, size, before }: Options): Promise<void> {
  const bounds = size && { x: 0, y: 0, ...size, maximized: false }
  // The tour has a story of its own.
  const changes = { tour: 'over' as const, ...settings, ...(bounds ? { bounds } : {}) }
  const workbench = (await openWorkbench(root)).at(data)
  try {
    const changed = await workbench.changeSettings(changes)
    expect(changed.kind).toBe('finished')
    await before?.(workbench, data)
  } finally {
    await workbench.close()
  }
}
