import { describe, expect, test } from 'vitest'
import { findMethod, resolveParameters, type MethodId } from '../../../electron/contract/methods.ts'
import type { LinearRecipe } from '../../../electron/contract/overrides.ts'
import { emptyRow, matchesText, overridesOf, readRow, rowOf, rowStates, type OverrideRow } from './override-rows.ts'

function usualOf(id: MethodId): LinearRecipe {
  const method = findMethod(id)
  const parameters = method.ok ? resolveParameters(method.value, {}) : method
  if (!parameters.ok) throw new Error(parameters.problem.message)
  return { method: id, parameters: parameters.value }
}
const gptq = usualOf('gptq')
const row = (match: string, does: OverrideRow['does'], settings = ''): OverrideRow => ({ match, does, settings })
const names = ['layers.0.up', 'layers.0.down', 'layers.1.up', 'layers.1.down']

describe('a line of the form', () => {
  test.each([
    [row('up', 'keep'), { match: 'up', keep: true }],
    [row('up', 'same', 'bits=4, group=64'), { match: 'up', parameters: { bits: 4, group: 64 } }],
    [row('up', 'rtn', ''), { match: 'up', method: 'rtn', parameters: {} }],
    [row('up', 'rtn', 'bits=4'), { match: 'up', method: 'rtn', parameters: { bits: 4 } }],
  ])('%j means an override, and the override means the line', (line, override) => {
    expect(readRow(line, gptq)).toEqual({ ok: true, value: override })
    expect(rowOf(override as Parameters<typeof rowOf>[0])).toEqual({
      ...line,
      settings: line.settings.replace(',', ''),
    })
  })
  test.each([
    [emptyRow, /pattern is missing/],
    [row('(', 'keep'), /no regular expression/],
    [row('up', 'same'), /needs other parameters/],
    [row('up', 'rtn', 'bits=9'), /bits must be/],
    [row('up', 'rtn', 'bits'), /^Parameters are key=value, not 'bits'/],
    [row('up', 'billm', 'blocksize=32 max_salient=50'), /max_salient must be/],
  ])('%j is not there yet', (line, why) => {
    expect(readRow(line, gptq)).toMatchObject({ ok: false, problem: { message: expect.stringMatching(why) as string } })
    expect(overridesOf([line, row('up', 'keep')], gptq)).toEqual([{ match: 'up', keep: true }])
  })
})

test('every line says how many linears it is for', () => {
  const rows = [row('up', 'keep'), row('layers.0', 'rtn'), row('o_proj', 'rtn'), row('(', 'keep'), emptyRow]
  expect(rowStates(rows, gptq, names).map(matchesText)).toEqual([
    '2 linears',
    '1 linear; 1 more are taken above',
    'matches no linear',
    '',
    '',
  ])
})
