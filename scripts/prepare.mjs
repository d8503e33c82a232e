// What every command needs before it runs: npm packages, system packages, the native build. Each is skipped in a few
// milliseconds when it is already there, so every command can ask for them first.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { capture, inRoot, Refusal, root, run } from './node.mjs'

/** Debian's packages by what needs them: a command asks for its own lists only. */
export const systemPackages = {
  build: [
    'cmake',
    'ninja-build',
    'g++',
    'libopenblas-pthread-dev',
    'libhwy-dev',
    'nlohmann-json3-dev',
    'doctest-dev',
    'libssl-dev',
    'clang-format',
  ],
  // The emulated device: kernels without a card.
  emulated: ['libboost-context-dev'],
  // What Electron loads, and what builds the database for a stand-in Electron.
  window: [
    'libgtk-3-0',
    'libnss3',
    'libasound2',
    'libgbm1',
    'libatk-bridge2.0-0',
    'libcups2',
    'libdrm2',
    'libxcomposite1',
    'libxdamage1',
    'libxkbcommon0',
    'libxrandr2',
    'make',
    'python3',
  ],
  display: ['xvfb', 'xauth', 'fonts-dejavu-core', 'fonts-liberation'],
  packaging: ['7zip'],
}
/** @typedef {keyof typeof systemPackages} PackageList */

/** The two native builds: what a person uses, and the one whose tests watch memory and undefined behaviour. */
export const builds = {
  release: ['-DCMAKE_BUILD_TYPE=Release'],
  sanitize: ['-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DSIGNUM_SANITIZE=ON', '-DSIGNUM_EMULATED_DEVICE=OFF'],
}

/** Runs `npm ci` when package-lock.json is not the one that node_modules was made from. @returns {Promise<string>} what was done */
export async function npmPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex')
  const stamp = inRoot('node_modules', '.signum-stamp')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return 'up to date'
  // npm must not run on the Node inside the folder that it is about to replace.
  const bin = inRoot('node_modules', '.bin')
  const PATH = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => path.resolve(folder) !== bin)
    .join(path.delimiter)
  const code = await run(
    'npm',
    ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'],
    { env: { ...process.env, PATH }, shell: process.platform === 'win32' },
  )
  if (code !== 0) throw new Refusal('npm_failed', `\`npm ci\` ended with code ${code}; its messages are above.`)
  writeFileSync(stamp, lock)
  return 'installed'
}

/** Installs the missing system packages where this process may, else says how. @param {PackageList[]} lists @returns {Promise<string>} what was done */
export async function systemTools(lists) {
  if (!existsSync('/usr/bin/dpkg-query')) return withoutDebian(lists)
  const wanted = lists.flatMap((list) => systemPackages[list])
  const missing = await missingPackages(wanted)
  if (missing.length === 0) return 'all there'
  const install = ['apt-get', 'install', '-y', '--no-install-recommends']
  if (process.getuid?.() !== 0) {
    const line = [...install, ...(await namesHere(missing))].join(' ')
    throw new Refusal('system_packages_missing', `run this and then set up again: sudo ${line}`, 3)
  }
  console.log(`  missing: ${missing.join(' ')}`)
  await apt(['apt-get', '-q', 'update'])
  await apt([...install, ...(await namesHere(missing))])
  const still = await missingPackages(wanted)
  if (still.length > 0) throw new Refusal('apt_failed', `still missing after the installation: ${still.join(' ')}`, 3)
  return `installed ${missing.length}`
}

/** @param {string[]} command */
async function apt(command) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const code = await run('/usr/bin/env', command, { env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (code !== 0) throw new Refusal('apt_failed', `\`${command.join(' ')}\` ended with code ${code}.`, 3)
}

/** The name that some libraries have had since time became 64 bits wide (Debian 13, Ubuntu 24.04). */
const renamed = (/** @type {string} */ name) => `${name}t64`

/** @param {string[]} wanted */
async function missingPackages(wanted) {
  const names = [...wanted, ...wanted.map(renamed)]
  const { output } = await capture('dpkg-query', ['-W', '-f=${Package} ${db:Status-Status}\n', ...names])
  const installed = new Set(output.split('\n').filter((line) => line.endsWith(' installed')))
  return wanted.filter((name) => ![name, renamed(name)].some((one) => installed.has(`${one} installed`)))
}

/** The names under which this system's lists have the packages. @param {string[]} wanted */
async function namesHere(wanted) {
  const { output } = await capture('apt-cache', ['show', '--no-all-versions', ...wanted.map(renamed)])
  return wanted.map((name) => (output.split('\n').includes(`Package: ${renamed(name)}`) ? renamed(name) : name))
}

/** @param {PackageList[]} lists */
function withoutDebian(lists) {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  const has = (/** @type {string} */ tool) =>
    folders.some((folder) => existsSync(path.join(folder, tool)) || existsSync(path.join(folder, `${tool}.exe`)))
  const missing = ['cmake', 'ninja', 'clang-format'].filter((tool) => !has(tool))
  const list =
    'CMake, Ninja, a C++20 compiler, clang-format, and the development files of OpenBLAS, Highway, nlohmann/json, doctest and OpenSSL'
  if (missing.length > 0) {
    throw new Refusal('system_packages_missing', `${missing.join(', ')} not found. Signum needs ${list}.`, 3)
  }
  const more = lists.includes('window') && process.platform === 'linux' ? "; the window needs Electron's libraries" : ''
  return `not a Debian system: needs ${list}${more}`
}

/**
 * Configures (once) and builds one of `builds`.
 * @param {keyof typeof builds} name @param {string[]} [targets] what to build; everything, tests included, when left out
 * @returns {Promise<string>} what was done
 */
export async function nativeBuild(name, targets = []) {
  const folder = inRoot('build', name)
  const ninjaFile = path.join(folder, 'build.ninja')
  const cache = path.join(folder, 'CMakeCache.txt')
  const home = `CMAKE_HOME_DIRECTORY:INTERNAL=${inRoot('native')}\n`
  // A checkout that was moved or copied brings a build folder that CMake refuses to use.
  if (existsSync(cache) && !readFileSync(cache, 'utf8').includes(home)) rmSync(folder, { recursive: true })
  if (!existsSync(ninjaFile)) {
    const code = await run('cmake', ['-G', 'Ninja', '-S', inRoot('native'), '-B', folder, ...builds[name]])
    if (code !== 0) throw new Refusal('native_build_failed', `CMake could not configure build/${name}.`)
  }
  const code = await run('ninja', ['-C', folder, ...targets])
  if (code !== 0)
    throw new Refusal('native_build_failed', `build/${name} does not build; the compiler's messages are above.`)
  return path.relative(root, folder)
}
