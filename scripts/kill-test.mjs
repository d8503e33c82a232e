// Is a run safe against a power cut? Quantizes the bundled model once undisturbed; then again and again with SIGKILL at
// random moments, each time resumed until it ends, and compares every byte of the packed folders and of the diagnostics beside them.
//
//   node scripts/kill-test.mjs [kills, 100] [--seed 1] [--method signum-rc] [--worker build/release/signum-worker]
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { inRoot, main, Refusal, seconds } from './node.mjs'
import { random } from './random.mjs'

const blocks = { correction: 0, blocksize: 128, damping: 0.01, scale_type: 'f16' }
const salient = { salience: 'hessian', search_space: 'saliency', max_salient: 50, ...blocks }
const groups = { column_group_bitmap: true, splits: 1, iterations: 15 }
/** @type {Record<string, object>} */
const recipes = {
  rtn: { bits: 2, group: 128, symmetric: false, clip_search: false, scale_type: 'f16' },
  gptq: { bits: 2, group: 128, symmetric: true, clip_search: true, order: 'hessian', ...blocks },
  billm: { ...salient },
  'pb-llm': {
    salient_share: 0.1,
    salience: 'hessian',
    salient_bits: 8,
    group: -1,
    mean_rule: 'published',
    ...blocks,
  },
  arb: { ...salient, ...groups },
  'arb-x': { ...salient, ...groups },
  'arb-rc': { ...salient, ...groups },
  fdb: { group: 64, step_rule: 'hessian', propagation: true, damping: 0.01, scale_type: 'f16' },
  'signum-rc': {
    second_plane: 0.5,
    third_plane: 0.25,
    order: 'hessian',
    column_scales: true,
    refits: 4,
    ...blocks,
    correction: 1,
  },
}

/** @typedef {{ end: 'finished' | 'killed', milliseconds: number }} Attempt */

/**
 * One worker on the run folder, from where it is. Killed means: it was alive, and ended by our signal.
 * @param {string} worker @param {string} folder @param {string} method @param {number | null} killAfter milliseconds
 * @returns {Promise<Attempt>}
 */
function attempt(worker, folder, method, killAfter) {
  const job = {
    version: 1,
    threads: 2,
    model: inRoot('resources', 'models', 'signum-stories-4m'),
    run: folder,
    recipe: { method, parameters: recipes[method] },
    calibration: {
      tokens: inRoot('native', 'tests', 'data', 'signum-stories-4m.calibration.u32'),
      sampling: 'random',
      sequences: 8,
      length: 96,
      seed: 0,
    },
    resume: existsSync(path.join(folder, 'state.json')),
    // Through a file in the run folder: that must not stay behind either.
    activation_limit: 0,
  }
  const jobFile = `${folder}.job.json`
  writeFileSync(jobFile, JSON.stringify(job))
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const child = spawn(worker, ['quantize', '--job', jobFile, '--no-stdin'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let last = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (last = (last + text).slice(-2000)))
    const killer = killAfter === null ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(killer)
      const milliseconds = performance.now() - began
      if (signal === 'SIGKILL') resolve({ end: 'killed', milliseconds })
      else if (code === 0) resolve({ end: 'finished', milliseconds })
      else reject(new Refusal('worker_failed', `The worker ended with ${signal ?? code}: ${last}`))
    })
  })
}

/** Names and hashes of what a run keeps. @param {string} folder */
const contents = (folder) =>
  ['packed', 'diagnostics']
    .flatMap((part) =>
      readdirSync(path.join(folder, part))
        .sort()
        .map((name) => path.join(part, name)),
    )
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex')}`,
    )
    .join('\n')

/** @param {string} folder of a run that ended @param {string} expected */
function compare(folder, expected) {
  const left = readdirSync(folder).sort().join(' ')
  if (left !== 'diagnostics lock packed state.json') throw new Refusal('left_behind', `The run folder holds ${left}.`)
  const found = contents(folder)
  if (found !== expected) throw new Refusal('bytes_differ', `Expected\n${expected}\nfound in ${folder}\n${found}`)
}

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      method: { type: 'string', default: 'signum-rc' },
      worker: { type: 'string', default: inRoot('build', 'release', 'signum-worker') },
    },
  })
  const wanted = Number(positionals[0] ?? 100)
  const { method, worker } = values
  if (!Number.isInteger(wanted) || wanted < 1) throw new Refusal('usage', 'The number of kills is not one.', 2)
  if (!recipes[method]) throw new Refusal('usage', `The method is one of ${Object.keys(recipes).join(', ')}.`, 2)
  if (!existsSync(worker)) throw new Refusal('worker_missing', `There is no ${worker}: run \`npm run setup\`.`)

  const began = performance.now()
  const next = random(Number(values.seed))
  const place = mkdtempSync(path.join(tmpdir(), 'signum-kills-'))
  try {
    const whole = path.join(place, 'whole')
    const undisturbed = await attempt(worker, whole, method, null)
    const expected = contents(whole)
    compare(whole, expected)
    let kills = 0
    let resumes = 0
    let runs = 0
    while (kills < wanted) {
      const folder = path.join(place, `run-${++runs}`)
      for (;;) {
        if (existsSync(path.join(folder, 'state.json'))) resumes++
        const killAfter = kills < wanted ? next() * undisturbed.milliseconds : null
        const { end } = await attempt(worker, folder, method, killAfter)
        if (end === 'finished') break
        kills++
      }
      compare(folder, expected)
      rmSync(folder, { recursive: true })
    }
    console.log(`${kills} kills, ${resumes} resumes, all equal`)
    console.log(
      `  ${runs} runs of ${undisturbed.milliseconds.toFixed(0)} ms each, ${method}, ${seconds(began)} s in all`,
    )
    return 0
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
})
