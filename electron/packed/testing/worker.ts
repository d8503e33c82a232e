import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Recipe } from './recipes.ts'

const root = resolve(import.meta.dirname, '..', '..', '..')

/** The worker under test; a test that needs it fails without it, so that "all passed" means that it ran. */
export function workerPath(): string {
  const path = process.env['SIGNUM_WORKER'] ?? join(root, 'build', 'release', 'signum-worker')
  if (existsSync(path)) return path
  throw new Error(
    `worker_missing: ${path} is not there; build it with \`npm run setup\`, or name one in SIGNUM_WORKER.`,
  )
}

/** Runs `signum-worker layer` in `folder` and gives the path of what it wrote. */
export async function runLayer(folder: string, input: string, recipe: Recipe): Promise<string> {
  const worker = workerPath()
  const output = join(folder, 'output.safetensors')
  const job = join(folder, 'job.json')
  await writeFile(job, JSON.stringify({ version: 1, threads: 1, input, output, recipe }))
  const { end, stdout, stderr } = await start(worker, ['layer', '--job', job, '--no-stdin'])
  const last = stdout.trimEnd().split('\n').at(-1) ?? ''
  if (end === '0' && last.includes('"finished"')) return output
  throw new Error(`signum-worker ended with ${end}; last event: ${last}\n${stderr}`)
}

function start(program: string, args: string[]): Promise<{ end: string; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(program, args, { timeout: 60_000, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      done({ end: String(error ? (error.code ?? error.signal) : 0), stdout, stderr })
    })
  })
}
