// Which Electron opens the window. In this order: the one that ELECTRON_OVERRIDE_DIST_PATH names, as everywhere in Electron's
// tools; the one of package.json, downloaded at its first use; where that download is out of reach, a stand-in (stand-in/).
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { inRoot, projectNode, Refusal } from './node.mjs'
import { isLaidOut, layOut, standInVersion } from './stand-in/electron.mjs'
import { filesOf } from './stand-in/zip.mjs'

const own = inRoot('node_modules', 'electron')
const standIn = inRoot('build', 'electron')
const override = 'ELECTRON_OVERRIDE_DIST_PATH'
/** Seconds without a byte after which a download is given up. */
const patience = 20

/** The version in package.json. */
export const ownElectron = () =>
  /** @type {{ version: string }} */ (JSON.parse(read(path.join(own, 'package.json')))).version
const read = (/** @type {string} */ file) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '')

/** The version of an Electron folder; null when there is none in it. @param {string | undefined} folder */
export function versionOf(folder) {
  const version = folder === undefined ? '' : read(path.join(folder, 'version'))
  return version === '' ? null : version.replace(/^v/, '')
}

/** The version of the Electron that was chosen instead of the one in package.json; null when none was. */
export const chosenElectron = () => versionOf(process.env[override] || undefined)

/** The set-up's step: afterwards there is an Electron, and everything started from here finds it. @returns {Promise<string>} what was done */
export async function electron() {
  const folder = process.env[override]
  if (folder) {
    const version = versionOf(folder)
    if (version !== null) return `${version}, of ${override}`
    throw new Refusal('electron_missing', `${override} is ${folder}, and there is no Electron in it.`)
  }
  if (versionOf(path.join(own, 'dist')) === ownElectron() && existsSync(path.join(own, 'path.txt')))
    return ownElectron()
  // Where the stand-in is laid out, the download was tried once and failed: nobody waits for it again.
  if (isLaidOut(standIn)) return useStandIn(ownElectron())
  console.log(`  downloading Electron ${ownElectron()}`)
  const problem = await download()
  if (problem === null) return `${ownElectron()}, downloaded`
  console.log(`  it cannot be downloaded (${problem}); taking a stand-in from the npm registry`)
  await layOut(standIn)
  return useStandIn(ownElectron())
}

/** @param {string} instead */
function useStandIn(instead) {
  process.env[override] = standIn
  return `${standInVersion}, a stand-in for closed networks (${instead} is tried again when build/electron is removed)`
}

/** The program to start; after the set-up's step. */
export function electronProgram() {
  const inside = process.env[override]
    ? read(path.join(own, 'path.txt')) || 'electron'
    : read(path.join(own, 'path.txt'))
  return path.join(process.env[override] || path.join(own, 'dist'), inside)
}

/** Runs Electron's own installer while bytes arrive. @returns {Promise<string | null>} why it failed; null when it did not */
function download() {
  const folder = inRoot('build', 'electron-download')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return new Promise((resolve) => {
    const child = spawn(projectNode(), [path.join(own, 'install.js')], {
      env: { ...process.env, TMPDIR: folder, TMP: folder, TEMP: folder, ELECTRON_GET_NO_PROGRESS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (said += text))
    let bytes = 0
    let moved = Date.now()
    const watch = setInterval(() => {
      const now = bytesIn(folder) + bytesIn(path.join(own, 'dist'))
      if (now !== bytes) moved = Date.now()
      bytes = now
      if (Date.now() - moved > patience * 1000) child.kill('SIGKILL')
    }, 500)
    const end = (/** @type {string | null} */ problem) => {
      clearInterval(watch)
      rmSync(folder, { recursive: true, force: true })
      resolve(problem)
    }
    child.on('error', (error) => end(error.message))
    child.on('close', (code, signal) => {
      if (code === 0) end(null)
      else end(signal === 'SIGKILL' ? `nothing came for ${patience} s` : (said.trim().split('\n')[0] ?? `code ${code}`))
    })
  })
}

/** @param {string} folder */
function bytesIn(folder) {
  try {
    return filesOf(folder).reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0)
  } catch {
    return 0 // not there yet, or just being moved
  }
}
