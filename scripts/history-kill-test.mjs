// Does the history keep what it said it has? Two writers at a time on one history, each killed (SIGKILL) at a random moment,
// again and again. After every round: integrity_check, foreign_key_check, and every line that a writer printed after a
// commit is looked up. The runs of killed writers must be swept up as interrupted, and no others.
//
//   node scripts/history-kill-test.mjs [kills, 200] [--seed 1] [--lie: writers that print more than they did, which must be found]
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { inRoot, main, projectNode, readsTypeScript, Refusal, run, seconds } from './node.mjs'
import { random } from './random.mjs'

/** @typedef {{ name: string, said: string[] }} Life of a writer, from its start to its kill */
/** @typedef {import('../electron/history/history.ts').History} History */

/** @param {string} data @param {string} name @param {number} killAfter milliseconds of writing @param {boolean} lie @returns {Promise<Life>} */
function live(data, name, killAfter, lie) {
  return new Promise((resolve, reject) => {
    const writer = inRoot('electron', 'history', 'testing', 'writer.ts')
    const child = spawn(process.execPath, [writer, data, name, ...(lie ? ['--lie'] : [])], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    let begun = false
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
      if (!begun) setTimeout(() => child.kill('SIGKILL'), killAfter)
      begun = true
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      // A last line without its end was cut off by the kill.
      const said = output.split('\n').slice(0, -1)
      if (signal === 'SIGKILL') resolve({ name, said })
      else reject(new Refusal('writer_failed', `A writer ended with ${signal ?? code} after ${said.length} lines.`))
    })
  })
}

/** @param {Life} life @returns {Map<number, { status: string, layers: number }>} what the history must hold of it, at least */
function acknowledged({ said }) {
  const runs = new Map()
  for (const line of said) {
    const [word = '', id, layers] = line.split(' ')
    if (word === 'ready') continue
    const before = runs.get(Number(id))
    runs.set(
      Number(id),
      word === 'layers' ? { ...before, layers: Number(layers) } : { layers: 0, ...before, status: word },
    )
  }
  return runs
}

/** The statuses that a run may have when a writer last said this of it: at most one more commit may have gone through. */
/** @type {Record<string, string[]>} */
const possible = {
  added: ['queued', 'interrupted'],
  running: ['interrupted', 'finished'],
  finished: ['finished', 'gone'],
  tagged: ['finished', 'deleted'],
  deleted: ['deleted', 'finished'],
  undone: ['finished'],
  removed: ['gone'],
}

/** @param {History} history @param {Life} life @returns {number} how many commits were looked up */
function check(history, life) {
  let commits = 0
  for (const [id, { status, layers }] of acknowledged(life)) {
    const row = history.runs.get(id)
    const hidden = history.runs.hidden().some((one) => one.id === id)
    const now = row?.status ?? (hidden ? 'deleted' : 'gone')
    if (!possible[status]?.includes(now)) {
      throw new Refusal('commit_lost', `Run ${id} was acknowledged as ${status}, and is ${now}.`)
    }
    commits += { added: 1, running: 2, finished: 11, tagged: 12, deleted: 13, undone: 14, removed: 12 }[status] ?? 0
    if (status === 'running') commits += layers
    if (row === null) continue
    const words = ['tagged', 'undone'].includes(status) ? 1 : 0
    if (row.tags.length < words || (row.archived_at === null) !== (row.tags.length === 0)) {
      throw new Refusal('commit_lost', `Run ${id} was acknowledged as ${status}, and has ${row.tags.length} tags.`)
    }
    const reports = history.layerReports.ofRun(id).length
    if (row.finished_layers < layers || reports !== 4 * row.finished_layers) {
      const found = `${row.finished_layers} and ${reports} reports`
      throw new Refusal('commit_lost', `Run ${id} had ${layers} acknowledged layers, and there are ${found}.`)
    }
    const measured = history.metrics.ofRun(id).length
    if (measured !== (now === 'finished' ? 1 : 0))
      throw new Refusal('half_a_commit', `Run ${id} has ${measured} metrics.`)
  }
  return commits
}

async function play() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: 'string', default: '1' }, lie: { type: 'boolean', default: false } },
  })
  const kills = Number(positionals[0] ?? 200)
  if (!Number.isInteger(kills) || kills < 1) throw new Refusal('usage', 'The number of kills is not one.', 2)
  const { openHistory } = await import('../electron/history/history.ts')
  const { default: Sqlite } = await import('better-sqlite3')
  const began = performance.now()
  const next = random(Number(values.seed))
  const data = mkdtempSync(path.join(tmpdir(), 'signum-history-'))
  try {
    let done = 0
    let commits = 0
    while (done < kills) {
      const names = ['a', 'b'].slice(0, kills - done).map((letter) => `${letter}${done}`)
      const lives = await Promise.all(names.map((name) => live(data, name, next() * 60, values.lie)))
      done += lives.length
      const db = new Sqlite(path.join(data, 'history.db'))
      const integrity = db.pragma('integrity_check', { simple: true })
      const references = /** @type {unknown[]} */ (db.pragma('foreign_key_check'))
      db.close()
      if (integrity !== 'ok' || references.length > 0) {
        throw new Refusal(
          'history_broken',
          `integrity_check says ${integrity}, foreign_key_check ${references.length}.`,
        )
      }
      const opened = await openHistory(data)
      if (!opened.ok) throw new Refusal(opened.problem.code, opened.problem.message)
      const swept = opened.value.sweep()
      if (!swept.ok || swept.value.length > lives.length) throw new Refusal('sweep_failed', JSON.stringify(swept))
      for (const life of lives) commits += check(opened.value, life)
      opened.value.close()
    }
    console.log(`${done} kills, ${commits} acknowledged commits, none lost, integrity ok`)
    console.log(`  ${seconds(began)} s in all`)
    return 0
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

await main(() =>
  readsTypeScript(process.versions.node)
    ? play()
    : run(projectNode(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)]),
)
