import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ParameterValue } from './parameters.ts'
import { cut, matcher, numberKeys, parseFilter, quoted, wordKeys, type Fields } from './run-filter.ts'
import { accept, completions, showArchived, toggleValue, wantedValues } from './run-filter-edit.ts'

type Run = Partial<{
  id: number
  name: string
  model: string
  method: string
  status: string
  tags: string[]
  note: string
  text: string
  ppl: number | null
  bits: number
  file: number
  time: number
  date: number
  archived: boolean
  parameters: Record<string, ParameterValue>
}>
const nothing = () => null
const fields: Fields<Run> = {
  words: {
    method: ({ method = '' }) => method,
    model: ({ model = '' }) => model,
    status: ({ status = '' }) => status,
    tag: ({ tags = [] }) => tags,
    name: ({ name = '' }) => name,
    note: ({ note = '' }) => note,
    text: ({ text = '' }) => text,
    device: () => 'cpu',
  },
  numbers: {
    ...(Object.fromEntries(numberKeys.map((key) => [key, nothing])) as unknown as Fields<Run>['numbers']),
    id: ({ id }) => id ?? null,
    ppl: ({ ppl }) => ppl ?? null,
    bits: ({ bits }) => bits ?? null,
    file: ({ file }) => file ?? null,
    time: ({ time }) => time ?? null,
  },
  parameter: ({ parameters = {} }, key) => parameters[key] ?? null,
  date: ({ date = 0 }) => date,
  archived: ({ archived = false }) => archived,
}
const finds = (line: string, run: Run): boolean => {
  const { terms, problem } = parseFilter(line)
  expect(problem).toBeNull()
  return matcher(terms, fields)(run)
}

const run: Run = {
  id: 7,
  name: 'First try',
  model: 'signum-stories-4m',
  method: 'arb-rc',
  status: 'finished',
  tags: ['paper', 'Table-2'],
  note: 'looks good',
  text: 'calibration-stories',
  ppl: 31.5,
  bits: 2.254,
  file: 1_900_000,
  time: 100,
  date: new Date(2026, 8, 30, 23, 59).getTime(),
  parameters: { group: 64, order: 'natural', refine: true },
}

test.each([
  '',
  'first',
  'TRY paper',
  '"first try"',
  'good',
  'method:arb-rc',
  'method:gptq,arb-rc',
  'method:arb*',
  '-method:arb',
  'method!=gptq',
  'model:stories',
  'model:sig*4m',
  'tag:paper tag:table-2',
  'status:finished',
  'name:"st tr"',
  'text:stories',
  'ppl<32 ppl>=31.5',
  'bits<=2.5 bits=2.25',
  'file<2MB file>1.8mb file>1800kB file<1.9MiB',
  'time>1.5min time<2h time:100s',
  'before:2026-10-01 before:2026-10 after:2026-09 after:2026 before:2027',
  'id:7',
  'p.group=64 p.group<=64 p.order:natural p.refine:true p.nothing!=3',
  '-archived:yes archived:no',
  'method:arb-rc ppl<32 file<2MB tag:paper bits<=2.5 model:stories before:2026-10-01 archived:no try',
])('%s finds the run', (line) => expect(finds(line, run)).toBe(true))

test.each([
  'second',
  '"try first"',
  'method:arb',
  '-method:arb-rc',
  'method!=arb-rc',
  'method:arb-rc,gptq -tag:paper',
  'tag:pap',
  'ppl<31.5',
  'kld<1',
  'kld>0',
  'file<1MB',
  'before:2026-09-30',
  'after:2026-10',
  'p.group=128',
  'p.order<3',
  'p.nothing=3',
  'archived:yes',
])('%s does not', (line) => expect(finds(line, run)).toBe(false))

test('archived runs are found only where the line speaks of them', () => {
  const found = ['', 'first', 'archived:no', 'archived:yes', 'archived:any'].map((line) =>
    finds(line, { ...run, archived: true }),
  )
  expect(found).toEqual([false, false, false, true, true])
})

test.each([
  ['metod:gptq', 0, 10, 'There is no metod to filter by; did you mean method?'],
  ['ppl<32 fil<2', 7, 12, 'There is no fil to filter by; did you mean file?'],
  ['first -bits<two', 12, 15, 'bits is a number, not two'],
  ['file<2MV', 5, 8, 'file is a number with kB, MB or GB, not 2MV'],
  ['time<2d', 5, 7, 'time is a number with s, min or h, not 2d'],
  ['method<3', 7, 8, 'method is a word: method:3'],
  ['ppl<', 0, 4, 'ppl< wants a value behind it'],
  ['tag:,', 4, 5, 'tag: wants a value behind it'],
  ['before:yesterday', 7, 16, 'before is a day like 2026-10-01, a month or a year, not yesterday'],
  ['before:2026-02-30', 7, 17, 'before is a day like 2026-10-01, a month or a year, not 2026-02-30'],
  ['archived:maybe', 9, 14, 'archived is yes, no or any, not maybe'],
  ['name:"first', 0, 11, 'A quotation mark is missing'],
  ['p.group<x', 8, 9, 'p.group< wants a number'],
])('%s is said to be wrong from %i to %i', (line, from, to, message) => {
  expect(parseFilter(line).problem).toEqual({ from, to, message })
})

test('what is wrong is left out, the rest holds', () => {
  const { terms, problem } = parseFilter('method:arb-rc metod:x ppl<32')
  expect([terms.length, problem?.from]).toEqual([2, 14])
})

test('any line can be read, and every term is where it says', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(...wordKeys, ...numberKeys, ':', '<', '<=', '"', ',', '-', ' ', '2MB', '2026-10-01', 'p.', '*'),
  )
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (line) => {
        const { terms, problem } = parseFilter(line)
        for (const { from, to } of terms) {
          expect(line.slice(from, to).trim()).not.toBe('')
          expect(parseFilter(line.slice(from, to)).terms).toHaveLength(1)
        }
        if (problem) expect([problem.from < problem.to, problem.to <= line.length]).toEqual([true, true])
        matcher(terms, fields)(run)
        expect(cut(line).map(({ text }) => text)).toEqual(cut(line).map(({ from, to }) => line.slice(from, to)))
      },
    ),
  )
})

test('a word in quotes is found as it is', () => {
  const word = fc.string({ minLength: 1 }).filter((text) => !/["*]/.test(text) && text.trim() === text)
  fc.assert(
    fc.property(word, (tag) => {
      expect(finds(`tag:${quoted(tag)}`, { tags: [tag] })).toBe(true)
    }),
  )
})

test('minus turns a term round', () => {
  const term = fc.constantFrom('method:arb-rc', 'ppl<32', 'tag:x', 'first', 'before:2026', 'p.group=64', 'archived:yes')
  fc.assert(
    fc.property(term, fc.boolean(), (line, archived) => {
      const any = { ...run, archived }
      const holds = matcher(parseFilter(`${line} archived:any`).terms, fields)(any)
      expect(matcher(parseFilter(`-${line} archived:any`).terms, fields)(any)).toBe(!holds)
    }),
  )
})

describe('facets', () => {
  test('a value is switched on and off, one term a key, the rest of the line stays', () => {
    const one = toggleValue('ppl<32', 'method', 'arb-rc')
    const two = toggleValue(one, 'method', 'gptq')
    expect([one, two]).toEqual(['ppl<32 method:arb-rc', 'ppl<32 method:arb-rc,gptq'])
    expect(wantedValues(two, 'method')).toEqual(['arb-rc', 'gptq'])
    expect(toggleValue(toggleValue(two, 'method', 'arb-rc'), 'method', 'gptq')).toBe('ppl<32')
    expect(toggleValue('a -method:x b', 'method', 'y')).toBe('a -method:x b method:y')
    expect(toggleValue('', 'text', 'my book, part 2')).toBe('text:"my book, part 2"')
  })

  test('twice is as before', () => {
    const value = fc.string({ minLength: 1 }).filter((text) => !/["*]/.test(text) && text.trim() === text)
    fc.assert(
      fc.property(value, (one) => {
        expect(toggleValue(toggleValue('ppl<3', 'tag', one), 'tag', one)).toBe('ppl<3')
      }),
    )
  })

  test('archived runs are brought in and put away', () => {
    expect(showArchived('ppl<3', true)).toBe('ppl<3 archived:any')
    expect(showArchived('archived:yes ppl<3', false)).toBe('ppl<3')
  })
})

describe('what can be typed', () => {
  const values = (key: string) =>
    (key === 'method' ? ['arb', 'arb-rc', 'gptq'] : []).map((value) => ({ value, count: 2 }))
  const at = (line: string, caret = line.length) =>
    completions(line, caret, values, ['group', 'damping']).map(({ text }) => text)

  test('keys where a term begins, values behind them', () => {
    expect(at('')).toContain('method:')
    expect(at('me')).toEqual(['method:', 'memory<'])
    expect(at('ppl<3 -meth')).toEqual(['method:'])
    expect(at('method:ar')).toEqual(['arb', 'arb-rc'])
    expect(at('method:arb,')).toEqual(['arb', 'arb-rc', 'gptq'])
    expect(at('p.g')).toEqual(['p.group='])
    expect(at('archived:')).toEqual(['yes', 'no', 'any'])
    expect(at('first try ')).toContain('tag:')
  })

  test('what is accepted takes the place of what was typed', () => {
    const take = (line: string, caret: number, text: string) =>
      accept(
        line,
        completions(line, caret, values, []).find((one) => one.text === text)!,
      )
    expect(take('x meth y', 6, 'method:')).toEqual({ line: 'x method: y', caret: 9 })
    expect(take('method:gp', 9, 'gptq')).toEqual({ line: 'method:gptq ', caret: 12 })
    expect(take('-method:arb,gp', 14, 'gptq')).toEqual({ line: '-method:arb,gptq ', caret: 17 })
  })
})
