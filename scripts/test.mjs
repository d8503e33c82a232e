// `npm test [-- suite ...]`: sets up, runs the suites in order whatever fails, and ends with one line of counts.
import { lastLine, sum } from './counts.mjs'
import { main, Refusal, seconds } from './node.mjs'
import { setup } from './setup.mjs'
import { suites } from './suites.mjs'

/** Runs one suite; an error of its preparation is a failure of the suite. @param {string} name */
async function play(name) {
  const begin = performance.now()
  console.log(`\n${name} ...`)
  /** @type {import('./suites.mjs').Outcome} */
  let outcome
  try {
    outcome = await /** @type {import('./suites.mjs').Suite} */ (suites[name]).play()
  } catch (error) {
    const said =
      error instanceof Refusal ? `${error.code}: ${error.message}` : error instanceof Error ? error.stack : error
    outcome = { counts: { passed: 0, failed: 1, skipped: 0 }, output: `${said}\n` }
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
  const wanted = new Set(names.flatMap((name) => [name, ...(suites[name]?.after ?? [])]))
  const chosen = Object.entries(suites).filter(([name]) => names.length === 0 || wanted.has(name))
  /** @type {import('./counts.mjs').Counts[]} */
  const results = []
  try {
    // What no suite can do without; a build that fails is a failure of its suites only.
    const packages = new Set(['build', ...chosen.flatMap(([, suite]) => suite.packages ?? [])])
    const lists = /** @type {import('./prepare.mjs').PackageList[]} */ ([...packages])
    await setup({ steps: ['npm packages', 'system packages'], packages: lists, targets: [] })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    console.log(`${error.code}: ${error.message}\n\n${lastLine({ passed: 0, failed: 1, skipped: 0 })}`)
    return error.exitCode
  }
  for (const [name] of chosen) results.push(await play(name))
  const total = sum(results)
  console.log(`\n${lastLine(total)}`)
  return total.failed > 0 ? 1 : 0
})
