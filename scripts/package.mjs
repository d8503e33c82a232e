// `npm run package`: sets up, builds, and puts everything that a machine needs into dist/: the program unpacked, and installers.
// docs/PACKAGING.md says what is inside.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { cudaWorker } from './cuda.mjs'
import { chosenElectron, ownElectron } from './electron.mjs'
import { setFuses } from './fuses.mjs'
import { capture, inRoot, main, projectNode, Refusal, run, seconds } from './node.mjs'
import { forWindow, setup } from './setup.mjs'
import { zip } from './stand-in/zip.mjs'
import { thirdParty } from './third-party.mjs'
import { buildWindow } from './window.mjs'

const workerName = process.platform === 'win32' ? 'signum-worker.exe' : 'signum-worker'
/** What goes into the package's resources besides the program; forge.config.ts takes it from here. */
const staged = inRoot('build', 'package')

/** The program in a folder that Forge packaged. @param {string} folder */
export function programIn(folder) {
  if (process.platform === 'darwin') return path.join(folder, 'Signum.app')
  return path.join(folder, process.platform === 'win32' ? 'signum.exe' : 'signum')
}

/** From nothing to the unpacked program, which can still be looked into. @returns {Promise<{ folder: string }>} where it is */
export async function assemble() {
  await setup({ ...forWindow, packages: ['build', 'window', 'packaging'] })
  if (chosenElectron() === null) await rebuildAddons()
  console.log(`window: ${await buildWindow()}`)
  rmSync(staged, { recursive: true, force: true })
  await stageResources()
  const zips = stageElectron()
  rmSync(inRoot('dist'), { recursive: true, force: true })
  await forge(['package'], zips)
  const [folder] = readdirSync(inRoot('dist')).filter((name) => name.startsWith('Signum-'))
  if (folder === undefined) throw new Refusal('package_failed', 'Forge says that it packaged, and there is no folder.')
  finish(inRoot('dist', folder))
  return { folder: inRoot('dist', folder) }
}

/** Forge leaves a folder that only its maker can open, with Electron's licence where one looks for the program's. @param {string} folder */
function finish(folder) {
  chmodSync(folder, 0o755)
  renameSync(path.join(folder, 'LICENSE'), path.join(folder, 'LICENSE.electron.txt'))
  copyFileSync(inRoot('LICENSE'), path.join(folder, 'LICENSE'))
}

/** A release takes the addons that fit the real Electron, whatever stood in for them here. */
async function rebuildAddons() {
  const rebuild = inRoot('node_modules', '@electron', 'rebuild', 'lib', 'cli.js')
  const code = await run(projectNode(), [
    rebuild,
    '--force',
    '--which-module',
    'better-sqlite3',
    '--version',
    ownElectron(),
  ])
  if (code !== 0) throw new Refusal('package_failed', 'the database does not build for this Electron; see above.')
}

/** The model, the texts, the licences, the workers (for cards where it was built) with the libraries that a plain system does not have. */
async function stageResources() {
  const worker = path.join(staged, 'resources', 'worker')
  cpSync(inRoot('resources'), path.join(staged, 'resources'), { recursive: true })
  mkdirSync(worker)
  const programs = [inRoot('build', 'release', workerName), ...(existsSync(cudaWorker()) ? [cudaWorker()] : [])]
  for (const program of programs) {
    for (const file of [program, ...(await librariesOf(program))]) {
      copyFileSync(file, path.join(worker, path.basename(file)))
    }
  }
  copyFileSync(inRoot('NOTICE'), path.join(staged, 'NOTICE.txt'))
  copyFileSync(inRoot('LICENSE'), path.join(staged, 'LICENSE.txt'))
  writeFileSync(path.join(staged, 'THIRD-PARTY.txt'), thirdParty(existsSync(cudaWorker())))
}

/** Every Debian and Ubuntu has the rest: the C library, and what the package manager itself is linked with. */
const plain = /^lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so/

/** Shared libraries to put beside the worker. @param {string} program */
async function librariesOf(program) {
  if (process.platform !== 'linux') return []
  const { output } = await capture('ldd', [program])
  return librariesToShip(output)
}

/** @param {string} ldd what `ldd` prints @returns {string[]} paths */
export function librariesToShip(ldd) {
  const found = [...ldd.matchAll(/^\s+(\S+) => (.+?)(?: \(0x[0-9a-f]+\))?$/gm)]
  return found.flatMap(([, name = '', file = '']) => {
    if (file === 'not found') throw new Refusal('package_failed', `the worker lacks ${name}.`)
    return plain.test(name) ? [] : [file]
  })
}

/** Forge wants Electron as an archive with the version of package.json in its name, whichever one stands in for it. */
function stageElectron() {
  if (chosenElectron() === null) return {}
  const zips = path.join(staged, 'electron')
  mkdirSync(zips)
  zip(
    /** @type {string} */ (process.env['ELECTRON_OVERRIDE_DIST_PATH']),
    path.join(zips, `electron-v${ownElectron()}-${process.platform}-${process.arch}.zip`),
  )
  return { SIGNUM_ELECTRON_ZIPS: zips }
}

/** Seconds instead of minutes for a few per cent of size, unless the environment says otherwise; and no download of 7-Zip. */
const archivers = {
  DPKG_DEB_COMPRESSOR_LEVEL: '6',
  ELECTRON_BUILDER_COMPRESSION_LEVEL: '3',
  ...(process.platform === 'linux' ? { ELECTRON_BUILDER_7ZIP_PATH: '/usr/bin/7zz' } : {}),
}

/** @param {string[]} args @param {NodeJS.ProcessEnv} [more] */
async function forge(args, more = {}) {
  const script = inRoot('node_modules', '@electron-forge', 'cli', 'dist', 'electron-forge.js')
  const env = { ...archivers, ...process.env, NO_COLOR: '1', ...more }
  const { code, output } = await capture(projectNode(), [script, ...args], { env })
  if (code !== 0) throw new Refusal('package_failed', `Forge could not ${args[0]}.\n${output}`)
}

/** @param {string} folder */
export const seal = (folder) => setFuses(programIn(folder))

/** Nothing can look into a sealed program, but it starts, opens its history, and ends when it is told to. @param {string} folder */
export async function startsSealed(folder) {
  const start = [projectNode(), inRoot('scripts', 'starts.mjs'), programIn(folder)]
  const [program = '', ...args] = process.platform === 'linux' ? ['xvfb-run', '-a', ...start] : start
  const { code, output } = await capture(program, args)
  if (code !== 0) throw new Refusal('package_failed', `the sealed program does not start.\n${output}`)
}

/** Installers, of what was assembled and sealed. @returns {Promise<string[]>} their files */
export async function makeInstallers() {
  await forge(['make', '--from-package'])
  const made = readdirSync(inRoot('dist', 'make'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(deb|tar\.gz|AppImage|exe|dmg)$/.test(file))
    .map((file) => inRoot('dist', 'make', file))
  if (made.length === 0) throw new Refusal('package_failed', 'Forge says that it made installers, and there is none.')
  return made
}

/** @param {string} file of folder */
function megabytes(file) {
  const bytes = statSync(file).isFile()
    ? statSync(file).size
    : readdirSync(file, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0)
  return `${(bytes / 1e6).toFixed(1)} MB`
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const begin = performance.now()
    const { folder } = await assemble()
    console.log(`fuses: ${await seal(folder)}`)
    const made = [folder, ...(await makeInstallers())]
    console.log(`\nmade in ${seconds(begin)} s, with Electron ${chosenElectron() ?? ownElectron()}:`)
    for (const file of made) console.log(`  ${megabytes(file).padStart(9)}  ${path.relative(inRoot(), file)}`)
    if (chosenElectron() !== null)
      console.log('This Electron was put in place of the one in package.json: a trial, not a release.')
    return 0
  })
}
