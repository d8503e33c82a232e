// `npm run setup`: prepares a fresh checkout, step by step, for the command line; `npm run setup -- window` for the window too.
// Runs under Node 20 with no package installed.
import { gpuWorker } from './cuda.mjs'
import { electron } from './electron.mjs'
import { main, Refusal, seconds } from './node.mjs'
import { nativeBuild, npmPackages, systemTools } from './prepare.mjs'
import { sqliteAddon } from './sqlite.mjs'

/**
 * `steps` by name, `packages` lists of system packages, `targets` of the native code: its tests are left to `npm test`.
 * @typedef {{ steps: (keyof typeof steps)[], packages: import('./prepare.mjs').PackageList[], targets: string[] }} Needs
 */
const steps = {
  'npm packages': npmPackages,
  'system packages': (/** @type {Needs} */ { packages }) => systemTools(packages),
  Electron: electron,
  database: sqliteAddon, // after Electron: an old one needs another
  'native build': (/** @type {Needs} */ { targets }) => nativeBuild('release', targets),
  'GPU worker': gpuWorker, // after the native build, whose folder it shares
}

/** @type {Needs} */
export const forCommandLine = {
  steps: ['npm packages', 'system packages', 'native build', 'GPU worker'],
  packages: ['build'],
  targets: ['signum-worker'],
}
/** @type {Needs} */
export const forWindow = {
  steps: ['npm packages', 'system packages', 'Electron', 'database', 'native build', 'GPU worker'],
  packages: ['build', 'window'],
  targets: ['signum-worker'],
}

/** Runs the steps, each with what it did and how long it took. */
export async function setup(needs = forCommandLine) {
  for (const [index, name] of needs.steps.entries()) {
    const begin = performance.now()
    const label = `set-up ${index + 1}/${needs.steps.length}: ${name}`
    console.log(`${label} ...`)
    const done = await steps[name](needs)
    console.log(`${label}: ${done} (${seconds(begin)} s)`)
  }
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const [what] = process.argv.slice(2)
    if (what !== undefined && what !== 'window') throw new Refusal('usage', 'set up what? Nothing, or `window`.', 2)
    await setup(what === 'window' ? forWindow : forCommandLine)
    return 0
  })
}
