// The suites of `npm test`, in the order in which they run.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { ctestCounts, honest, playwrightCounts, sum, vitestCounts } from './counts.mjs'
import { electron } from './electron.mjs'
import { capture, inRoot, projectNode } from './node.mjs'
import { assemble, makeInstallers, programIn, seal, startsSealed } from './package.mjs'
import { nativeBuild } from './prepare.mjs'
import { sqliteAddon } from './sqlite.mjs'
import { buildWindow } from './window.mjs'

/** @typedef {import('./counts.mjs').Counts} Counts */
/** @typedef {{ counts: Counts, output: string }} Outcome */
/** `packages`: the system packages that it needs beside those of the build; `after`: suites that must have run. */
/** @typedef {{ play: () => Promise<Outcome>, packages?: import('./prepare.mjs').PackageList[], after?: string[] }} Suite */

const tool = (/** @type {string[]} */ ...file) => inRoot('node_modules', ...file)
const passed = { passed: 1, failed: 0, skipped: 0 }

/** Checks that each hold or do not. @param {string[][]} scripts of a package or of ours, with arguments */
const checks =
  (...scripts) =>
  async () => {
    /** @type {Outcome[]} */
    const outcomes = []
    for (const script of scripts) {
      const { code, output } = await capture(projectNode(), script)
      outcomes.push({ counts: honest({ ...passed, passed: code === 0 ? 1 : 0 }, code), output })
    }
    return together(outcomes)
  }

/** @param {Outcome[]} outcomes @returns {Outcome} */
const together = (outcomes) => ({
  counts: sum(outcomes.map(({ counts }) => counts)),
  output: outcomes.map(({ counts, output }) => (counts.failed > 0 ? output : '')).join(''),
})

/** A step that throws a Refusal when it fails. @param {() => Promise<unknown>} step */
const step = (step) => async () => {
  await step()
  return { counts: passed, output: '' }
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
      tool('vitest', 'vitest.mjs'),
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
    const folder = ['--test-dir', inRoot('build', build)]
    return reported(`native-${build}.xml`, ctestCounts, (report) =>
      capture('ctest', [...folder, '--output-on-failure', '--output-junit', report, ...parallel, ...options]),
    )
  }

/** The stories of one project of playwright.config.ts, on a screen of their own. @param {'window' | 'screens' | 'packaged'} project @param {NodeJS.ProcessEnv} [more] */
export const stories = (project, more = {}) =>
  reported(`${project}.json`, playwrightCounts, (report) => {
    const playwright = [tool('@playwright', 'test', 'cli.js'), 'test', `--project=${project}`, '--reporter=list,json']
    const env = { ...process.env, NO_COLOR: '1', PLAYWRIGHT_JSON_OUTPUT_FILE: report, ...more }
    return process.platform === 'linux'
      ? capture('xvfb-run', ['-a', '-s', '-screen 0 1920x1200x24', projectNode(), ...playwright], { env })
      : capture(projectNode(), playwright, { env })
  })

async function e2e() {
  await electron()
  await sqliteAddon()
  return stories('window')
}

/** The package is played before its fuses are set: afterwards nothing can look inside it. */
async function packaged() {
  const { folder } = await assemble()
  const outcomes = [await stories('packaged', { SIGNUM_PACKAGED: programIn(folder) })]
  for (const part of [() => seal(folder), () => startsSealed(folder), makeInstallers]) outcomes.push(await step(part)())
  return together(outcomes)
}

/** @type {Record<string, Suite>} */
export const suites = {
  format: { play: checks([inRoot('scripts', 'format.mjs'), '--check']) },
  lint: { play: checks([tool('eslint', 'bin', 'eslint.js'), '--max-warnings=0', inRoot()]) },
  types: {
    play: checks(
      ...['tsconfig.json', 'e2e/tsconfig.json', 'tsconfig.electron-33.json'].map((project) => [
        tool('typescript', 'bin', 'tsc'),
        '--noEmit',
        '--project',
        inRoot(project),
      ]),
    ),
  },
  svelte: {
    play: checks([
      tool('svelte-check', 'bin', 'svelte-check'),
      ...['--workspace', inRoot('renderer'), '--tsconfig', inRoot('renderer', 'tsconfig.json'), '--fail-on-warnings'],
    ]),
  },
  build: { play: step(() => nativeBuild('release')), packages: ['emulated'] },
  unit: { play: unit, after: ['build'] }, // its tests start the worker
  native: { play: native('release'), packages: ['emulated'] },
  'native-sanitize': { play: native('sanitize', '-LE', 'slow') },
  window: { play: step(buildWindow) },
  e2e: { play: e2e, packages: ['window', 'display'], after: ['build', 'window'] },
  package: { play: packaged, packages: ['window', 'display', 'packaging'] },
}
