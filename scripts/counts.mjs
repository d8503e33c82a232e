// Reads the reports of the test programs. Pure: text in, counts out. Whatever a report does not clearly call passed or
// skipped counts as failed.

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @param {Counts[]} all @returns {Counts} */
export function sum(all) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const counts of all) {
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
  }
  return total
}

/** The last line of `npm test`. @param {Counts} counts */
export function lastLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/**
 * What a suite may claim: a program that failed, or ran nothing, has at least one failure whatever its report says.
 * @param {Counts} counts @param {number} exitCode @returns {Counts}
 */
export function honest(counts, exitCode) {
  const empty = counts.passed + counts.failed === 0
  return (exitCode !== 0 || empty) && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/** Vitest's JSON report. A file that could not be loaded has no test in it: it counts as one failure. @param {string} json */
export function vitestCounts(json) {
  /** @type {{ testResults: { status: string, assertionResults: { status: string }[] }[] }} */
  const report = JSON.parse(json)
  return sum(
    report.testResults.map((file) => {
      const count = (/** @type {string[]} */ ...states) =>
        file.assertionResults.filter(({ status }) => states.includes(status)).length
      const passed = count('passed')
      const skipped = count('skipped', 'pending', 'todo', 'disabled')
      const failed = file.assertionResults.length - passed - skipped
      return { passed, skipped, failed: file.status === 'failed' && failed === 0 ? 1 : failed }
    }),
  )
}

/**
 * CTest's JUnit report. A test that was not run because its program is missing is marked skipped there: only the reasons
 * that a test itself gives (SKIP_RETURN_CODE, SKIP_REGULAR_EXPRESSION) and `disabled` count as skipped here.
 * @param {string} xml
 */
export function ctestCounts(xml) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const [, attributes = '', body = ''] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    const status = /\bstatus="([^"]*)"/.exec(attributes)?.[1]
    if (status === 'run') total.passed += 1
    else if (status === 'disabled' || (status === 'notrun' && /<skipped message="SKIP_/.test(body))) total.skipped += 1
    else total.failed += 1
  }
  return total
}

/** Playwright's JSON report. Whatever is wrong outside a test (a file that does not load) counts as one failure. @param {string} json */
export function playwrightCounts(json) {
  /** @typedef {{ suites?: Suite[], specs?: { tests: { status: string }[] }[] }} Suite */
  /** @type {Suite & { errors?: unknown[] }} */
  const report = JSON.parse(json)
  const count = (/** @type {Suite} */ suite) => {
    const own = (suite.specs ?? []).flatMap(({ tests }) => tests.map(({ status }) => status))
    const passed = own.filter((status) => status === 'expected').length
    const skipped = own.filter((status) => status === 'skipped').length
    const below = /** @type {Counts[]} */ ((suite.suites ?? []).map(count))
    return sum([{ passed, skipped, failed: own.length - passed - skipped }, ...below])
  }
  const total = count(report)
  return (report.errors ?? []).length > 0 && total.failed === 0 ? { ...total, failed: 1 } : total
}
