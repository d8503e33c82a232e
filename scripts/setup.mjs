// `npm run setup`: prepares a fresh checkout, step by step. Runs under Node 20 with no package installed.
import { main, seconds } from './node.mjs'
import { nativeBuild, npmPackages, systemTools } from './prepare.mjs'
import { chosenElectron, needsStandIn, sqliteAddon } from './sqlite.mjs'

/** @type {[string, (targets: string[]) => Promise<string>][]} */
const steps = [
  ['npm packages', npmPackages],
  ['system packages', systemTools],
  ['native build', (targets) => nativeBuild('release', targets)],
]
// Only for an old Electron that was laid out by hand: everything else loads the database as it came.
if (needsStandIn(chosenElectron())) steps.push(['database', () => sqliteAddon()])

/**
 * Runs the first `count` steps, all by default, each with what it did and how long it took. Of the native code only `targets` are
 * built: the tests are left to `npm test`.
 */
export async function setup(count = steps.length, targets = ['signum-worker']) {
  for (const [index, [name, step]] of steps.slice(0, count).entries()) {
    const begin = performance.now()
    const label = `set-up ${index + 1}/${count}: ${name}`
    console.log(`${label} ...`)
    const done = await step(targets)
    console.log(`${label}: ${done} (${seconds(begin)} s)`)
  }
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    await setup()
    return 0
  })
}
