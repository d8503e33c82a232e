// Does the program start? It has to open its history in an empty data folder, and to end when it is told to (SIGTERM).
//
//   node scripts/starts.mjs PROGRAM
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { main, Refusal } from './node.mjs'

const patience = 60_000
/** A timer that nobody waits for any more must not keep this process. */
const unheld = { ref: false }

await main(async () => {
  const [given] = process.argv.slice(2)
  if (given === undefined) throw new Refusal('usage', 'which program?', 2)
  const program = path.resolve(given) // it runs in another folder
  const folder = mkdtempSync(path.join(tmpdir(), 'signum-starts-'))
  const history = path.join(folder, 'data', 'history.db')
  const args = [`--user-data-dir=${path.join(folder, 'user')}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])]
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, SIGNUM_DATA: path.join(folder, 'data') },
    stdio: 'inherit',
  })
  /** @type {Promise<string>} */
  const end = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => resolve(signal ?? `code ${code}`))
  })
  try {
    const began = Date.now()
    while (!existsSync(history)) {
      const early = await Promise.race([end, wait(200, null)])
      if (early !== null) throw new Refusal('does_not_start', `it ended by itself: ${early}.`)
      if (Date.now() - began > patience) throw new Refusal('does_not_start', 'it opened no history.')
    }
    child.kill('SIGTERM')
    const how = await Promise.race([end, wait(patience, 'nothing', unheld)])
    if (how !== 'code 0') throw new Refusal('does_not_end', `told to end, it answered with ${how}.`)
    console.log('it starts and ends')
    return 0
  } finally {
    child.kill('SIGKILL')
    await Promise.race([end, wait(5000, null, unheld)])
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
})
