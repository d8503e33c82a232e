import { expect, test } from 'vitest'
import { commandHelp, methodHelp } from './help.ts'
import { parseOptions, type CommandSpec } from './options.ts'
import { methods } from '../contract/methods.ts'

const spec: CommandSpec = {
  name: 'bake',
  summary: 'Bake a cake.',
  positionals: [{ name: 'CAKE', help: 'what to bake.' }],
  options: [
    { name: 'minutes', value: 'N', kind: 'integer', min: 1, max: 90, help: 'How long.' },
    { name: 'with', value: 'WHAT', kind: 'list', help: 'On top.' },
    { name: 'oven', value: 'NAME', kind: 'text', help: 'Where.' },
    { name: 'vegan', kind: 'flag', help: 'Without eggs.' },
  ],
}
const parse = (...argv: string[]) => {
  const values = parseOptions(spec, argv)
  if (!values.ok) throw new Error(`${values.problem.code}: ${values.problem.message}`)
  return values.value
}

test('options of every kind, in any order', () => {
  const values = parse('--minutes', '30', 'apple', '--with=cream', '--vegan', '--with', 'key=a=b')
  expect(values.positionals).toEqual(['apple'])
  expect(values.integer('minutes')).toBe(30)
  expect(values.list('with')).toEqual(['cream', 'key=a=b'])
  expect(values.flag('vegan')).toBe(true)
  expect([values.text('oven'), values.given('oven'), values.given('minutes')]).toEqual([undefined, false, true])
})

test.each([
  [['apple', '--minute', '30'], 'option_unknown: signum bake has no option --minute; did you mean --minutes?'],
  [['apple', '--frost'], 'option_unknown: signum bake has no option --frost; see signum bake --help.'],
  [['apple', '-x'], 'option_unknown: signum bake has no option -x; see signum bake --help.'],
  [['apple', '--minutes', '0'], "option_invalid: --minutes must be a whole number from 1 to 90, not '0'."],
  [['apple', '--minutes', '3.5'], "option_invalid: --minutes must be a whole number from 1 to 90, not '3.5'."],
  [['apple', '--minutes'], 'option_invalid: --minutes needs a value: --minutes N.'],
  [['apple', '--oven='], 'option_invalid: --oven needs a value: --oven NAME.'],
  [['apple', '--oven', 'a', '--oven', 'b'], 'option_invalid: --oven is given twice.'],
  [['apple', '--vegan=no'], "option_invalid: --vegan takes no value, and 'no' was given."],
  [[], 'option_invalid: signum bake needs CAKE: what to bake.'],
  [['apple', 'pear'], "option_invalid: signum bake does not know what to do with 'pear'."],
])('%j', (argv, message) => {
  expect(() => parse(...argv)).toThrow(message)
})

test('an option is never taken for the value of the one before', () => {
  expect(() => parse('apple', '--oven', '--vegan')).toThrow('--oven needs a value')
})

test('help is there even when the arguments are not', () => {
  expect(parse('--help').flag('help')).toBe(true)
  expect(parse('-h').flag('help')).toBe(true)
})

test('help pages name every option, and every parameter with range and default', () => {
  const page = commandHelp(spec)
  for (const { name, help } of spec.options) expect(page).toMatch(new RegExp(`--${name}.*${help}`))
  expect(
    commandHelp({ ...spec, summary: '', options: [{ name: 'x', kind: 'flag', help: 'word '.repeat(40).trim() }] }),
  ).toMatch(/--x {5,}(word ){15,}/)
  for (const method of methods) {
    const text = methodHelp(method)
    for (const parameter of method.parameters) {
      expect(text).toContain(parameter.key)
      expect(text).toContain(`default ${parameter.default}`)
    }
    for (const { id, title } of method.presets ?? []) expect(text).toMatch(new RegExp(`^ {2}${id} +${title}: `, 'm'))
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(140)
  }
})
