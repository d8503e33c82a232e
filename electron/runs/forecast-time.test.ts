import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findMethod, type MethodId, type Parameters } from '../contract/methods.ts'
import { parseRecipe } from '../contract/recipe.ts'
import { resolve } from './checks.ts'
import { usualSeconds } from './forecast-time.ts'
import { model as testModel } from '../history/testing/open.ts'

const n = 4096
const linears = [{ name: 'q', layer: 0, kind: 'q_proj', rows: n, columns: n }]
const model = testModel('/m', { linears, context: n })

/** Factor and quantization of one matrix, with the benchmarks' two threads. */
function secondsOf(method: MethodId, parameters: Parameters): number {
  const found = findMethod(method)
  const calibration = found.ok && found.value.needsCalibration(parameters) ? { source: 'x' } : null
  const parsed = parseRecipe({ signum_recipe: 1, method, parameters, calibration }, 'test')
  if (!parsed.ok) throw new Error(parsed.problem.message)
  const recipe = resolve(parsed.value, '/m', model)
  const { factor = 0, quantize = 0 } = usualSeconds({ model, recipe, tokens: [], fileBytes: 0, threads: 2 })
  return factor + quantize
}

const document = readFileSync(new URL('../../docs/BENCHMARKS.md', import.meta.url), 'utf8')
const rows = document.split(`${n} x ${n}\n`)[1]!.split('\n').slice(1)

test.each<[string, MethodId, Parameters]>([
  ['rtn 2 bit', 'rtn', {}],
  ['rtn 2 bit clip', 'rtn', { clip_search: true }],
  ['gptq 2 bit g128', 'gptq', {}],
  ['gptq g128 clip', 'gptq', { clip_search: true }],
  ['billm', 'billm', {}],
  ['pb-llm 10 %', 'pb-llm', {}],
  ['arb', 'arb', { column_group_bitmap: false }],
  ['arb + bitmap', 'arb', {}],
  ['arb-x', 'arb-x', { column_group_bitmap: false }],
  ['arb-x + bitmap', 'arb-x', {}],
  ['fdb g64', 'fdb', {}],
  ['fdb g64 passed on', 'fdb', { propagation: true }],
  ['arb-rc', 'arb-rc', { column_group_bitmap: false }],
  ['arb-rc + bitmap', 'arb-rc', {}],
  ['signum-rc 0', 'signum-rc', { second_plane: 0, correction: 0 }],
  ['signum-rc 0.25', 'signum-rc', { second_plane: 0.25, correction: 0 }],
  ['signum-rc 1', 'signum-rc', { correction: 0 }],
])('%s takes about what the benchmarks say', (title, method, parameters) => {
  const row = rows.find((line) => line.startsWith(`${title}  `))!
  const measured = Number(row.slice(title.length).trim().split(/\s+/)[0])
  expect(secondsOf(method, parameters) / measured).toBeGreaterThan(0.8)
  expect(secondsOf(method, parameters) / measured).toBeLessThan(1.25)
})
