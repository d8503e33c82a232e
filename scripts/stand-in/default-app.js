// What `electron [options] PATH` runs first: it becomes the application at PATH. Electron's own archive brings such a program as
// resources/default_app.asar; the stand-in gets this one.
import { app } from 'electron'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** What Electron's own program uses as well, though no documentation names it. */
/** @typedef {{ setAppPath: (folder: string) => void, setVersion: (version: string) => void }} Inner */

const fromHere = createRequire(path.join(process.cwd(), 'default_app'))

/** @param {string} text @returns {never} */
function stop(text) {
  console.error(`electron: ${text}`)
  process.exit(1)
}
const usage = 'usage: electron [options] PATH, a folder with a package.json or a script'

/** @type {string | undefined} */
let target
const queue = process.argv.slice(1)
while (queue.length > 0 && target === undefined) {
  const arg = queue.shift() ?? ''
  if (arg === '-v' || arg === '--version') {
    console.log(`v${process.versions['electron']}`)
    process.exit(0)
  }
  if (arg === '-r' || arg === '--require') fromHere(queue.shift() ?? stop(usage))
  else if (!arg.startsWith('-')) target = arg
}
if (target === undefined) stop(usage)

const given = path.resolve(target)
const manifest = path.join(given, 'package.json')
const isFolder = existsSync(manifest)
/** @type {{ name?: string, productName?: string, version?: string }} */
const about = isFolder ? JSON.parse(readFileSync(manifest, 'utf8')) : {}
// What a packaged application has from its package.json, and process.defaultApp, by which one sees that it is not packaged.
Object.defineProperty(process, 'defaultApp', { value: true, enumerable: true })
try {
  const entry = fromHere.resolve(given)
  const inner = /** @type {Inner} */ (/** @type {unknown} */ (app))
  inner.setAppPath(isFolder ? given : path.dirname(entry))
  if (about.version !== undefined) inner.setVersion(about.version)
  const name = about.productName ?? about.name
  if (name !== undefined) app.name = name
  // Electron waits with `ready` until the first module has been evaluated, so this one has to await the application.
  await import(pathToFileURL(entry).href)
} catch (error) {
  stop(error instanceof Error ? (error.stack ?? error.message) : String(error))
}
