// Which Node runs the project. Sources are TypeScript that Node reads by itself from 22.18 on, so an older one only gets as
// far as the scripts here: they are plain JavaScript, run under Node 20 without packages, and start the right one.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '..')
export const inRoot = (/** @type {string[]} */ ...parts) => path.join(root, ...parts)

export const nodeTooOld = 'node_too_old'

/** An error that a person can act on: a stable code, one sentence, and the exit code it ends the process with. */
export class Refusal extends Error {
  /** @param {string} code @param {string} message @param {number} [exitCode] */
  constructor(code, message, exitCode = 1) {
    super(message)
    this.code = code
    this.exitCode = exitCode
  }
}

/** Node's first version that strips types without a flag. @param {string} version such as '20.19.1' */
export function readsTypeScript(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}

/** The Node that runs the sources: the project's own where it is installed for this machine, else the current one. */
export function projectNode() {
  const own = inRoot('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(own)) return own
  if (readsTypeScript(process.versions.node)) return process.execPath
  throw new Refusal(
    nodeTooOld,
    `Signum needs Node 22.18 or newer, and this is ${process.versions.node}: run \`npm run setup\`, or install a newer Node.`,
  )
}

/**
 * Runs a program to its end in the project's root and gives its exit code (128 + number when a signal ended it).
 * @param {string} program @param {string[]} args @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<number>}
 */
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit', ...options })
    // Ctrl-C reaches the child through the terminal's process group; the parent waits for what the child makes of it.
    // SIGTERM comes to one process only.
    const wait = () => {}
    const pass = () => child.kill('SIGTERM')
    process.on('SIGINT', wait).on('SIGTERM', pass)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', pass)
      resolve(code ?? 128 + (signalNumbers[signal ?? ''] ?? 0))
    })
  })
}
/** @type {Record<string, number>} */
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

/**
 * Runs a program with its output kept.
 * @param {string} program @param {string[]} args @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number, output: string }>} stdout and stderr together, in the order they came
 */
export function capture(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    let output = ''
    const colours = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }
    const env = { ...process.env, ...colours }
    const child = spawn(program, args, { cwd: root, env, ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => (output += text))
    }
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? 128 + (signalNumbers[signal ?? ''] ?? 0), output }))
  })
}

/** Runs a script's body; a refusal becomes one line and its exit code. @param {() => Promise<number>} body */
export async function main(body) {
  try {
    process.exitCode = await body()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    console.error(`${error.code}: ${error.message}`)
    process.exitCode = error.exitCode
  }
}

export const seconds = (/** @type {number} */ since) => ((performance.now() - since) / 1000).toFixed(1)
