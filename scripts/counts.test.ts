import { describe, expect, test } from 'vitest'
import { ctestCounts, honest, lastLine, playwrightCounts, sum, vitestCounts } from './counts.mjs'

const counts = (passed: number, failed: number, skipped = 0) => ({ passed, failed, skipped })

test('the last line names skips only when there are some', () => {
  expect(lastLine(counts(12, 0))).toBe('12 passed, 0 failed')
  expect(lastLine(counts(12, 1, 2))).toBe('12 passed, 1 failed, 2 skipped')
})

test('counts add up', () => {
  expect(sum([counts(1, 2, 3), counts(10, 20, 30)])).toEqual(counts(11, 22, 33))
})

describe('a suite cannot claim more than its program', () => {
  test('a failed program has a failure', () => expect(honest(counts(3, 0), 1)).toEqual(counts(3, 1)))
  test('and is not counted twice', () => expect(honest(counts(3, 2), 1)).toEqual(counts(3, 2)))
  test('no test is a failure', () => expect(honest(counts(0, 0), 0)).toEqual(counts(0, 1)))
  test('only skips are no test', () => expect(honest(counts(0, 0, 4), 0)).toEqual(counts(0, 1, 4)))
  test('a good run stays', () => expect(honest(counts(3, 0, 1), 0)).toEqual(counts(3, 0, 1)))
})

describe('vitest', () => {
  const file = (status: string, ...states: string[]) => ({
    status,
    assertionResults: states.map((state) => ({ status: state })),
  })
  const read = (...testResults: object[]) => vitestCounts(JSON.stringify({ testResults }))

  test('each state', () => {
    expect(read(file('failed', 'passed', 'failed', 'pending', 'skipped', 'todo'))).toEqual(counts(1, 1, 3))
  })
  test('a file that does not load', () => expect(read(file('failed'), file('passed', 'passed'))).toEqual(counts(1, 1)))
  test('a state nobody knows', () => expect(read(file('passed', 'sunny'))).toEqual(counts(0, 1)))
})

describe('playwright', () => {
  const spec = (...states: string[]) => ({ tests: states.map((status) => ({ status })) })
  const read = (report: object) => playwrightCounts(JSON.stringify(report))

  test('each state, at any depth; a test that passed at the second try has failed', () => {
    const inner = { specs: [spec('expected'), spec('flaky'), spec('skipped')] }
    expect(read({ suites: [{ specs: [spec('expected', 'unexpected')], suites: [inner] }], errors: [] })).toEqual(
      counts(2, 2, 1),
    )
  })
  test('a file that does not load', () => expect(read({ suites: [], errors: [{}] })).toEqual(counts(0, 1)))
  test('a state nobody knows', () => expect(read({ suites: [{ specs: [spec('sunny')] }] })).toEqual(counts(0, 1)))
})

test("ctest: only a test's own reasons are skips", () => {
  const xml = `<testsuite tests="6">
    <testcase name="a" classname="a" time="0.1" status="run"><system-out>status="fail"</system-out></testcase>
    <testcase name="b" classname="b" time="0.1" status="fail"><failure message="Failed"/><system-out/></testcase>
    <testcase name="c" classname="c" time="0" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>
    <testcase name="d" classname="d" time="0" status="notrun"><skipped message="Unable to find executable"/></testcase>
    <testcase name="e" classname="e" time="0" status="disabled"><skipped message="Disabled"/></testcase>
    <testcase name="f" classname="f" time="0" status="run"/>
  </testsuite>`
  expect(ctestCounts(xml)).toEqual(counts(2, 2, 2))
  expect(ctestCounts('')).toEqual(counts(0, 0))
})
