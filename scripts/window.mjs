// The window's build: electron-vite makes out/ from electron/ and renderer/, when one of their files changed since.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { capture, inRoot, projectNode, Refusal } from './node.mjs'

const sources = [
  'electron',
  'renderer',
  'electron.vite.config.ts',
  'svelte.config.js',
  'package.json',
  'package-lock.json',
]
const stamp = () => inRoot('out', '.sources')

/** Builds out/ where it is not that of the sources. @returns {Promise<string>} what was done */
export async function buildWindow() {
  const now = fingerprint(sources)
  if (existsSync(stamp()) && readFileSync(stamp(), 'utf8') === now) return 'up to date'
  rmSync(inRoot('out'), { recursive: true, force: true })
  const { code, output } = await capture(projectNode(), [
    inRoot('node_modules', 'electron-vite', 'bin', 'electron-vite.js'),
    'build',
  ])
  if (code !== 0) throw new Refusal('window_build_failed', `the window does not build.\n${output}`)
  writeFileSync(stamp(), now)
  return 'built'
}

/** Names, sizes and times of all files below; tests are no part of the window. @param {string[]} names from the root */
export function fingerprint(names) {
  const hash = createHash('sha256')
  for (const name of names) {
    const full = inRoot(name)
    const below = statSync(full).isDirectory() ? readdirSync(full, { recursive: true, encoding: 'utf8' }).sort() : ['']
    for (const file of below) {
      const { size, mtimeMs } = statSync(path.join(full, file))
      if (!/\.test\.\w+$/.test(file)) hash.update(`${name}/${file} ${size} ${mtimeMs}\n`)
    }
  }
  return hash.digest('hex')
}
