#!/usr/bin/env node
// The `signum` command of a checkout: finds a Node that reads TypeScript and runs the command line in it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { inRoot, main, projectNode, Refusal } from '../scripts/node.mjs'

await main(async () => {
  const worker = inRoot('build', 'release', process.platform === 'win32' ? 'signum-worker.exe' : 'signum-worker')
  if (!existsSync(inRoot('node_modules', 'zod')) || !existsSync(worker)) {
    throw new Refusal('not_set_up', 'this checkout is not set up yet: run `npm run setup`.')
  }
  const child = spawn(projectNode(), [inRoot('electron', 'cli', 'main.ts'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  // A terminal sends Ctrl-C and hang-up to the whole process group: the child has its own copy, and passing ours on would
  // make two. SIGTERM comes to one process only.
  const ignored = () => undefined
  process.on('SIGINT', ignored).on('SIGHUP', ignored)
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (signal === null) return resolve(code ?? 1)
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
  })
})
