// The walls round the window, in the real program: who may call, where the page may go, what it may ask of the browser.
import path from 'node:path'
import { fitting } from '../electron/shell/testing/requests.ts'
import type {} from '../renderer/client/client.ts'
import { expect, test } from './app.ts'

const preload = path.resolve(import.meta.dirname, '..', 'out', 'preload', 'index.cjs')

test('a window of somebody else gets no answer, even with the same bridge', async ({ launch }) => {
  const { app } = await launch()
  const answers = await app.evaluate(
    async ({ BrowserWindow }, { preload, calls }) => {
      const foreign = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true } })
      const all: Record<string, unknown> = {}
      for (const url of ['data:text/html,<p>foreign</p>', 'signum://app/index.html']) {
        await foreign.loadURL(url)
        for (const name of calls) {
          const script = `window.signum.call(${JSON.stringify(name)}, {}).then((a) => a.problem?.code ?? a.kind)`
          all[`${name} from ${url}`] = await foreign.webContents.executeJavaScript(script)
        }
      }
      foreign.destroy()
      return all
    },
    { preload, calls: Object.keys(fitting) },
  )
  expect(Object.keys(answers)).toHaveLength(2 * Object.keys(fitting).length)
  expect(new Set(Object.values(answers))).toEqual(new Set(['sender_refused']))
})

test('the window itself is answered, and told when it asks in another form', async ({ launch }) => {
  const { page } = await launch()
  const codes = await page.evaluate(async () => {
    const ask = (name: string, request: unknown) =>
      window.signum.call(name, request) as Promise<{ kind: string; problem?: { code: string } }>
    return [
      (await ask('settings', {})).kind,
      (await ask('run', { id: 'one' })).problem?.code,
      (await ask('run', null)).problem?.code,
      (await ask('run', { id: 999 })).problem?.code,
      await ask('quantize', {}).then(
        () => 'answered',
        () => 'no such channel',
      ),
    ]
  })
  // The command line's own calls are not channels at all.
  expect(codes).toEqual(['finished', 'request_invalid', 'request_invalid', 'run_unknown', 'no such channel'])
})

test('the page stays where it is, opens nothing, and may use nothing of the browser', async ({ launch }) => {
  const { app, page, problems } = await launch()
  await expect(page.getByRole('heading', { name: 'Models' })).toBeVisible()
  const before = page.url()
  const found = await page.evaluate(async () => {
    const opened = window.open('https://example.invalid/')
    location.assign('https://example.invalid/')
    const link = document.createElement('a')
    link.href = 'signum://app/assets/other.html'
    document.body.append(link)
    link.click()
    const permission = await navigator.permissions.query({ name: 'notifications' })
    const media = await navigator.mediaDevices?.getUserMedia({ audio: true }).then(
      () => 'granted',
      () => 'denied',
    )
    const evaluated = await new Promise((resolve) => {
      const script = document.createElement('script')
      script.textContent = 'window.injected = true'
      document.body.append(script)
      setTimeout(() => resolve('injected' in window), 100)
    })
    const fetched = await fetch('https://example.invalid/').then(
      () => 'fetched',
      () => 'refused',
    )
    const node = 'require' in window || 'process' in window
    return { opened: opened !== null, permission: permission.state, media, evaluated, fetched, node }
  })
  expect(found).toEqual({
    opened: false,
    permission: 'denied',
    media: 'denied',
    evaluated: false,
    fetched: 'refused',
    node: false,
  })
  expect(page.url()).toBe(before)
  expect(app.windows()).toHaveLength(1)
  // These refusals are what the page was asked to provoke.
  problems.splice(0)
})

test('paths of the scheme lead to the files of the window and nowhere else', async ({ launch }) => {
  const { page, problems } = await launch()
  const statuses = await page.evaluate(async () => {
    const paths = [
      '/index.html',
      '/../main/index.js',
      '/%2e%2e/main/index.js',
      '/assets/..%2f..%2fmain/index.js',
      '/package.json',
      '/pictures/1/%2e%2e/sign/0/0/0',
      '/pictures/999/model.layers.0/sign/0/0/0',
    ]
    const all: number[] = []
    for (const path of paths) all.push((await fetch(path)).status)
    const part = await fetch('/index.html', { headers: { range: 'bytes=0-14' } })
    return { all, part: [part.status, await part.text()] }
  })
  expect(statuses.all).toEqual([200, 404, 404, 404, 404, 404, 404])
  expect(statuses.part).toEqual([206, '<!doctype html>'])
  problems.splice(0)
})

test('a second start brings the first window to the front and ends', async ({ launch }) => {
  const { app } = await launch()
  const seen = app.evaluate(
    ({ app: program }) => new Promise((resolve) => program.once('second-instance', () => resolve('seen'))),
  )
  // The second one has no window: Playwright waits in vain for it, and its process ends by itself.
  await launch().catch(() => undefined)
  expect(await seen).toBe('seen')
})
