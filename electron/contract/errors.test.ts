import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exitCodeOf, ownErrorCodes, workerErrorCodes } from './errors.ts'
import { eventNames } from './worker.ts'
import { methods } from './methods.ts'

const document = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
const section = (text: string, title: string) => text.split(`## ${title}`)[1]?.split('\n## ')[0] ?? ''
/** The code words in the first column of a table. */
const firstColumn = (text: string) =>
  [...text.matchAll(/^\| (`[^|]+`) +\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\w+)`/g)].map(([, code]) => code!),
  )

test('the codes are those of the protocol, and the rest is explained with the command line', () => {
  expect([...workerErrorCodes]).toEqual(firstColumn(section(document('PROTOCOL.md'), 'Error codes')))
  expect([...ownErrorCodes]).toEqual(firstColumn(section(document('CLI.md'), 'Error codes')))
})

test('the events are those of the protocol', () => {
  expect(eventNames).toEqual(firstColumn(section(document('PROTOCOL.md'), 'Events')))
})

test('the parameters are those of the protocol', () => {
  const jobs = section(document('PROTOCOL.md'), 'Jobs')
  for (const key of new Set(methods.flatMap(({ parameters }) => parameters.map((one) => one.key)))) {
    expect(jobs).toContain(key)
  }
})

test('mistakes on the command line have an exit code of their own', () => {
  expect(exitCodeOf('option_unknown')).toBe(2)
  expect(exitCodeOf('recipe_invalid')).toBe(2)
  expect(exitCodeOf('disk_full')).toBe(1)
  expect(exitCodeOf('a_code_of_tomorrow')).toBe(1)
})
