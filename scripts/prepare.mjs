// The three things a checkout needs before anything runs: npm packages, system packages, the native build. Each is skipped
// in a few milliseconds when it is already there, so every command can ask for them first.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { capture, inRoot, Refusal, root, run } from './node.mjs'

export const systemPackages = [
  'cmake',
  'ninja-build',
  'g++',
  'libopenblas-pthread-dev',
  'libhwy-dev',
  'nlohmann-json3-dev',
  'doctest-dev',
  'libssl-dev',
  'clang-format',
]

/** The two native builds: what a person uses, and the one whose tests watch memory and undefined behaviour. */
export const builds = {
  release: ['-DCMAKE_BUILD_TYPE=Release'],
  sanitize: ['-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DSIGNUM_SANITIZE=ON'],
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

/** Installs the missing system packages where this process may, else says how. @returns {Promise<string>} what was done */
export async function systemTools() {
  if (!existsSync('/usr/bin/dpkg-query')) return withoutDebian()
  const missing = await missingPackages()
  if (missing.length === 0) return 'all there'
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing]
  if (process.getuid?.() !== 0) {
    throw new Refusal('system_packages_missing', `run this and then set up again: sudo ${install.join(' ')}`, 3)
  }
  console.log(`  missing: ${missing.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['apt-get', '-q', 'update'], install]) {
    const code = await run('/usr/bin/env', args, { env, stdio: ['ignore', 'inherit', 'inherit'] })
    if (code !== 0) throw new Refusal('apt_failed', `\`${args.join(' ')}\` ended with code ${code}.`, 3)
  }
  const still = await missingPackages()
  if (still.length > 0) throw new Refusal('apt_failed', `still missing after the installation: ${still.join(' ')}`, 3)
  return `installed ${missing.length}`
}

async function missingPackages() {
  const { output } = await capture('dpkg-query', ['-W', '-f=${Package} ${db:Status-Status}\n', ...systemPackages])
  const installed = new Set(output.split('\n').filter((line) => line.endsWith(' installed')))
  return systemPackages.filter((name) => !installed.has(`${name} installed`))
}

function withoutDebian() {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  const has = (/** @type {string} */ tool) =>
    folders.some((folder) => existsSync(path.join(folder, tool)) || existsSync(path.join(folder, `${tool}.exe`)))
  const missing = ['cmake', 'ninja', 'clang-format'].filter((tool) => !has(tool))
  const list =
    'CMake, Ninja, a C++20 compiler, clang-format, and the development files of OpenBLAS, Highway, nlohmann/json, doctest and OpenSSL'
  if (missing.length > 0) {
    throw new Refusal('system_packages_missing', `${missing.join(', ')} not found. Signum needs ${list}.`, 3)
  }
  return `not a Debian system: needs ${list}`
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
