// `npm run bench -- window [TIMES]`: how soon the window is there, from the start of its process to the first paint and to the first
// view drawn. A folder of data is made by a first start that is not counted; each further one finds it, as a person's does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { electronProgram } from './electron.mjs'
import { inRoot, main, projectNode, Refusal, root, run } from './node.mjs'
import { withoutDisplay } from './start.mjs'

const patience = 30_000
const usualTimes = 7

/** @param {string[]} given */
export async function benchWindow([times = String(usualTimes)]) {
  const script = inRoot('scripts', 'bench-window.mjs')
  if (withoutDisplay(process.platform, process.env) === null) return run(projectNode(), [script, times])
  return run('xvfb-run', ['-a', '-s', '-screen 0 1920x1200x24', projectNode(), script, times])
}

/** @typedef {{ paint: number, view: number }} Start milliseconds since the process began */

/** @param {string} folder @returns {Promise<Start>} */
async function start(folder) {
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0
  const args = ['--remote-debugging-port=0', `--user-data-dir=${path.join(folder, 'user')}`]
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, SIGNUM_DATA: path.join(folder, 'data') }
  delete env['ELECTRON_RUN_AS_NODE']
  const began = Date.now()
  const child = spawn(electronProgram(), [...(asRoot ? ['--no-sandbox'] : []), ...args, root], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    const seen = await ask(await pageOf(child.stderr), began)
    return { paint: seen.paint - began, view: seen.view - began }
  } finally {
    child.kill('SIGTERM')
    await Promise.race([once(child, 'exit'), new Promise((done) => setTimeout(done, 5000))])
    child.kill('SIGKILL')
  }
}

/** The debugger's address of the window's page. @param {import('node:stream').Readable} said @returns {Promise<string>} */
async function pageOf(said) {
  for await (const line of createInterface({ input: said })) {
    const port = /ws:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    if (port === undefined) continue
    said.resume()
    for (let waited = 0; waited < patience; waited += 50) {
      const answer = await fetch(`http://127.0.0.1:${port}/json`)
      const pages = /** @type {{ type: string, webSocketDebuggerUrl: string }[]} */ (await answer.json())
      const page = pages.find(({ type }) => type === 'page')
      if (page) return page.webSocketDebuggerUrl
      await new Promise((done) => setTimeout(done, 50))
    }
  }
  throw new Refusal('does_not_start', 'no page was opened.')
}

/** In the page: the times since 1970 of the first paint, and of the first view's heading. */
const script = `new Promise((resolve) => {
  const look = () => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0]
    const view = document.querySelector('main h1')
    if (paint && view) resolve(JSON.stringify({ paint: performance.timeOrigin + paint.startTime, view: Date.now() }))
    else setTimeout(look, 5)
  }
  look()
})`

/** @param {string} address @param {number} began @returns {Promise<Start>} */
async function ask(address, began) {
  const socket = new WebSocket(address)
  await new Promise((open, failed) => {
    socket.onopen = open
    socket.onerror = failed
  })
  const params = { expression: script, awaitPromise: true, returnByValue: true }
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }))
  const answer = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Refusal('does_not_start', 'no view was drawn.')), patience)
    socket.onmessage = ({ data }) => {
      clearTimeout(late)
      resolve(JSON.parse(String(data)))
    }
  })
  socket.close()
  // The page that was asked may only have been the empty one before it.
  if (answer.error || answer.result.exceptionDetails) return ask(address, began)
  const seen = JSON.parse(answer.result.result.value)
  if (seen.paint < began) throw new Refusal('internal', 'painted before it began.')
  return seen
}

const middle = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const times = Number(process.argv[2] ?? usualTimes)
    if (!Number.isInteger(times) || times < 1) throw new Refusal('usage', 'how many times? A whole number.', 2)
    const folder = mkdtempSync(path.join(tmpdir(), 'signum-window-'))
    try {
      await start(folder)
      const starts = []
      for (let k = 0; k < times; k++) starts.push(await start(folder))
      for (const what of /** @type {const} */ (['paint', 'view'])) {
        const all = starts.map((one) => Math.round(one[what]))
        console.log(`first ${what.padEnd(6)} ${middle(all)} ms (${times} starts: ${all.join(', ')})`)
      }
      return 0
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  })
}
