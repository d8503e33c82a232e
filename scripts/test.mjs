// `npm test [-- suite ...]`: sets up, runs the suites in order whatever fails, and ends with one line of counts.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { ctestCounts, honest, lastLine, sum, vitestCounts } from './counts.mjs'
import { capture, inRoot, main, projectNode, Refusal, seconds } from './node.mjs'
import { nativeBuild } from './prepare.mjs'
import { setup } from './setup.mjs'

/** @typedef {import('./counts.mjs').Counts} Counts */
/** @typedef {{ counts: Counts, output: string }} Outcome */

/** A check that either holds or does not. @param {string[]} script of a package or of ours, with arguments */
const check =
  (...script) =>
  async () => {
    const { code, output } = await capture(projectNode(), script)
    return { counts: honest({ passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 }, code), output }
  }

/**
 * A test program that writes a report.
 * @param {string} name of the report @param {(text: string) => Counts} read
 * @param {(report: string) => Promise<{ code: number, output: string }>} start
 */
async function reported(name, read, start) {
  const report = inRoot('build', 'reports', name)
  mkdirSync(inRoot('build', 'reports'), { recursive: true })
  rmSync(report, { force: true })
  const { code, output } = await start(report)
  const counts = existsSync(report) ? read(readFileSync(report, 'utf8')) : { passed: 0, failed: 0, skipped: 0 }
  return { counts: honest(counts, code), output }
}

const unit = () =>
  reported('unit.json', vitestCounts, (report) =>
    capture(projectNode(), [
      inRoot('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ]),
  )

/** @param {'release' | 'sanitize'} build @param {string[]} options of ctest */
const native =
  (build, ...options) =>
  async () => {
    await nativeBuild(build)
    const parallel = ['-j', String(availableParallelism())]
    return reported(`native-${build}.xml`, ctestCounts, (report) =>
      capture('ctest', [
        '--test-dir',
        inRoot('build', build),
        '--output-on-failure',
        '--output-junit',
        report,
        ...parallel,
        ...options,
      ]),
    )
  }

const tool = (/** @type {string[]} */ ...file) => inRoot('node_modules', ...file)
/** @type {Record<string, () => Promise<Outcome>>} */
const suites = {
  format: check(inRoot('scripts', 'format.mjs'), '--check'),
  lint: check(tool('eslint', 'bin', 'eslint.js'), '--max-warnings=0', inRoot()),
  types: check(tool('typescript', 'bin', 'tsc'), '--noEmit'),
  build: async () => {
    await nativeBuild('release')
    return { counts: { passed: 1, failed: 0, skipped: 0 }, output: '' }
  },
  unit,
  native: native('release'),
  'native-sanitize': native('sanitize', '-LE', 'slow'),
}

/** Runs one suite; an error of its preparation is a failure of the suite. @param {string} name */
async function play(name) {
  const begin = performance.now()
  console.log(`\n${name} ...`)
  /** @type {Outcome} */
  let outcome
  try {
    outcome = await /** @type {() => Promise<Outcome>} */ (suites[name])()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    outcome = { counts: { passed: 0, failed: 1, skipped: 0 }, output: `${error.code}: ${error.message}\n` }
  }
  if (outcome.counts.failed > 0) process.stdout.write(outcome.output)
  console.log(`${name}: ${lastLine(outcome.counts)} (${seconds(begin)} s)`)
  return outcome.counts
}

await main(async () => {
  const names = process.argv.slice(2)
  const unknown = names.filter((name) => !(name in suites))
  if (unknown.length > 0) {
    throw new Refusal(
      'unknown_suite',
      `no suite is called ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}.`,
      2,
    )
  }
  if (names.includes('unit')) names.push('build') // its tests start the worker
  const chosen = Object.keys(suites).filter((name) => names.length === 0 || names.includes(name))
  /** @type {Counts[]} */
  const results = []
  try {
    await setup(2) // the packages, without which no suite can run; a native build that fails is a failure of its suites only
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    console.log(`${error.code}: ${error.message}\n\n${lastLine({ passed: 0, failed: 1, skipped: 0 })}`)
    return error.exitCode
  }
  for (const name of chosen) results.push(await play(name))
  const total = sum(results)
  console.log(`\n${lastLine(total)}`)
  return total.failed > 0 ? 1 : 0
})
