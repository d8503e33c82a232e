import { expect, test } from 'vitest'
import { choose, columnsOf, isShown, nothing, type Column } from './column.ts'
import { perplexity, row } from './testing/run.ts'
import { textsOf } from './text.ts'

const rows = [
  row({ id: 1, metrics: [perplexity('original', 9), perplexity('packed', 17.823)] }),
  row({ id: 2, metrics: [perplexity('packed', 30, { sha256: 'bb' }), perplexity('original', null)] }),
  row({ id: 3, status: 'failed', file_bytes: null, linear_bits: null }),
]
const columns = columnsOf(rows, textsOf(rows))
const column = (id: string): Column => {
  const found = columns.find((one) => one.id === id)
  if (!found) throw new Error(`no column ${id}`)
  return found
}
const text = 'papers 256 bundled:evaluation-stories'

test('every text brings the packed and the original perplexity', () => {
  const packed = column(`packed ${text}`)
  expect(rows.map(packed.text)).toEqual(['17.82 ± 1.50', '30.00 ± 1.50', nothing])
  expect(rows.map(column(`original ${text}`).text)).toEqual(['9.00 ± 1.50', 'not finite', nothing])
  expect(rows.map(packed.value)).toEqual([17.823, 30, null])
})

test('the distance from the original is there to be chosen where a run has it', () => {
  const metrics = [perplexity('packed', 9), perplexity('packed', 0.0412, { name: 'kld', standard_error: 0.001 })]
  const [near, without] = [row({ id: 1, metrics }), row({ id: 2, metrics: metrics.slice(0, 1) })]
  const found = (of: typeof rows) => columnsOf(of, textsOf(of)).filter(({ title }) => title === 'KLD')
  expect(found([without])).toEqual([])
  const [kld] = found([near, without])
  expect([near, without].map(kld!.text)).toEqual(['0.0412 ± 0.0010', nothing])
  expect(kld).toMatchObject({ standard: false, menuTitle: 'KLD, evaluation-stories' })
})

test('an original that all runs share stands in the head, and needs no column', () => {
  const [one, other] = [9, 12].map((value, index) => row({ id: index, metrics: [perplexity('original', value)] }))
  const heads = (of: typeof rows) =>
    columnsOf(of, textsOf(of))
      .filter(({ group }) => group === 'Perplexity')
      .map(({ unit, standard }) => [unit, standard])
  expect(heads([one!, one!, rows[2]!])).toEqual([
    ['perplexity, original 9.00', true],
    ['perplexity', false],
  ])
  expect(heads([one!, other!])).toEqual([
    ['perplexity', true],
    ['perplexity', true],
  ])
})

test('perplexities on other tokens are not compared', () => {
  const { delta } = column(`packed ${text}`)
  expect(delta?.comparable?.(rows[0]!, rows[0]!)).toBe(true)
  expect(delta?.comparable?.(rows[1]!, rows[0]!)).toBe(false)
})

test('what is not there is said with a dash', () => {
  expect(column('fileBytes').text(rows[2]!)).toBe(nothing)
  expect(column('linearBits').text(rows[0]!)).toBe('2.25')
  expect(column('chosen').text(rows[0]!)).toBe(nothing)
})

test('model and status are shown where they tell rows apart', () => {
  const standard = (of: typeof rows) =>
    columnsOf(of, [])
      .filter((one) => one.standard && ['model', 'status'].includes(one.id))
      .map(({ id }) => id)
  expect(standard(rows)).toEqual(['status'])
  expect(standard(rows.slice(0, 2))).toEqual([])
  expect(standard([rows[0]!, { ...rows[1]!, modelKey: '/models/other' }])).toEqual(['model'])
})

test('every parameter that a run has is a column, in the order of the catalogue', () => {
  const later = { ...row({ id: 4, method: 'later' }), parameters: { depth: 'deep', bits: 3 } }
  const ids = columnsOf([...rows, later], []).filter(({ group }) => group === 'Parameter')
  expect(ids.map(({ title, numeric }) => [title, numeric])).toEqual([
    ['bits', true],
    ['group', true],
    ['symmetric', false],
    ['clip_search', false],
    ['scale_type', false],
    ['order', false],
    ['correction', true],
    ['blocksize', true],
    ['damping', true],
    ['depth', false],
  ])
})

test('a choice is what differs from the start, and is forgotten when taken back', () => {
  const start = { shown: [], hidden: [] }
  const [time, memory] = [column('seconds'), column('peakBytes')]
  expect([isShown(time, start), isShown(memory, start)]).toEqual([true, false])
  const changed = choose(choose(start, time, false), memory, true)
  expect(changed).toEqual({ shown: ['peakBytes'], hidden: ['seconds'] })
  expect([isShown(time, changed), isShown(memory, changed)]).toEqual([false, true])
  expect(choose(choose(changed, time, true), memory, false)).toEqual(start)
  expect(choose(changed, memory, true)).toEqual(changed)
  expect(isShown(column('name'), { shown: [], hidden: ['name'] })).toBe(true)
})
