import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matcher, parseFilter } from '../../../electron/contract/run-filter.ts'
import { toggleValue } from '../../../electron/contract/run-filter-edit.ts'
import { facetKeys, find } from './facets.ts'
import { rowFields } from './fields.ts'
import type { Row } from './row.ts'
import { perplexity, row } from './testing/run.ts'

const fields = rowFields(null)
const rows = [
  row({ id: 1, method: 'gptq', tags: ['paper', 'first'], linear_bits: 2 }),
  row({ id: 2, method: 'rtn', tags: ['paper'], linear_bits: 3 }),
  row({ id: 3, method: 'rtn', linear_bits: 4, status: 'failed' }),
  row({ id: 4, method: 'rtn', archived_at: 9 }),
]
const found = (line: string, of: readonly Row[] = rows) => find(of, parseFilter(line).terms, fields)
const ids = (line: string) => found(line).rows.map(({ id }) => id)

test('a row answers every kind of question', () => {
  expect([ids('tag:paper'), ids('bits>2'), ids('status:failed'), ids('run'), ids('p.group=128 id=1')]).toEqual([
    [1, 2],
    [2, 3],
    [3],
    [1, 2, 3],
    [1],
  ])
  const measured = [row({ id: 1, metrics: [perplexity('packed', 31), perplexity('original', 9)] })]
  expect(find(measured, parseFilter('ppl<32 original=9 time=10s text:stories').terms, fields).rows).toHaveLength(1)
})

test('archived runs are counted where they are left out', () => {
  expect([found('').archived, found('method:gptq').archived, found('archived:any').archived]).toEqual([1, 0, 0])
  expect(ids('archived:yes')).toEqual([4])
})

test('a facet counts what choosing its value would show, whatever was chosen of the same facet', () => {
  const { facets } = found('method:gptq')
  expect(facets.method).toEqual([
    { value: 'rtn', count: 2 },
    { value: 'gptq', count: 1 },
  ])
  expect(facets.tag).toEqual([
    { value: 'first', count: 1 },
    { value: 'paper', count: 1 },
  ])
  expect(found('bits<3').facets.method).toEqual([{ value: 'gptq', count: 1 }])
})

test('on any rows and lines: what is found is what the filter says, counts are what choosing the value alone finds', () => {
  const one = fc.record({
    method: fc.constantFrom('gptq', 'rtn', 'arb'),
    status: fc.constantFrom('finished' as const, 'failed' as const),
    tags: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
    archived_at: fc.constantFrom(null, 1),
  })
  const line = fc.subarray(['method:gptq', 'status:finished', 'tag:a,b', '-tag:c', 'bits<9', 'archived:any', 'id>3'])
  fc.assert(
    fc.property(fc.array(one, { maxLength: 20 }), line, (wishes, terms) => {
      const all = wishes.map((wish, index) => row({ id: index + 1, ...wish }))
      const text = terms.join(' ')
      const { rows: some, facets } = found(text, all)
      expect(some).toEqual(all.filter(matcher(parseFilter(text).terms, fields)))
      for (const key of facetKeys) {
        for (const { value, count } of facets[key]) {
          const without = terms.filter((term) => !term.startsWith(`${key}:`)).join(' ')
          expect(found(toggleValue(without, key, value), all).rows).toHaveLength(count)
        }
      }
    }),
  )
})
