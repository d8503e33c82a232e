import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTokenizer } from '../models/tokenizer.ts'
import { promptOf } from './prompt.ts'
import { readSpecials } from './specials.ts'

const stories = path.resolve(import.meta.dirname, '..', '..', 'resources', 'models', 'signum-stories-4m')
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  await cp(stories, folder, { recursive: true })
})
afterAll(() => rm(folder, { recursive: true }))

/** With these files in the model's folder. */
async function read(files: Record<string, object | string> = {}) {
  for (const [name, content] of Object.entries(files)) {
    await writeFile(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  const tokenizer = await openTokenizer(folder)
  if (!tokenizer.ok) throw new Error(tokenizer.problem.message)
  const specials = await readSpecials(folder, tokenizer.value)
  const promptFor = (prompt: Parameters<typeof promptOf>[0]) => {
    const made = promptOf(prompt, tokenizer.value, specials)
    if (!made.ok) throw new Error(made.problem.code)
    return made.value
  }
  const tokensOf = (prompt: Parameters<typeof promptOf>[0]) => promptFor(prompt).tokens
  return {
    specials,
    promptFor,
    tokensOf,
    idsOf: (text: string) => [...(tokenizer.value.encodeBare(text) as { value: Uint32Array }).value],
  }
}

test('what ends a text is gathered from all files, one id or several', async () => {
  expect((await read()).specials).toMatchObject({ begin: 1, end: [2], template: null })
  const several = await read({ 'generation_config.json': { eos_token_id: [7, 2] } })
  expect(several.specials.end).toEqual([7, 2])
  const none = await read({ 'generation_config.json': '', 'config.json': {}, 'tokenizer_config.json': {} })
  expect(none.specials).toMatchObject({ begin: null, end: [] })
})

test('a text begins as the tokenizer begins it, also an empty one', async () => {
  const { tokensOf } = await read()
  expect(tokensOf('')).toEqual([1])
  expect(tokensOf('One day')[0]).toBe(1)
})

test('without a template a conversation is plain text, and ends where the person would speak again', async () => {
  const { tokensOf, idsOf, promptFor } = await read()
  const said = [{ role: 'user' as const, content: 'Hi' }]
  expect(tokensOf(said)).toEqual([1, ...idsOf('User: Hi\nAssistant:')])
  expect(promptFor(said)).toMatchObject({ stop: ['\nUser:'], notes: [{ code: 'chat_template_missing' }] })
})

test('a template speaks for itself: nothing is put in front of it', async () => {
  const chat_template =
    '{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}'
  const settings = { chat_template, bos_token: { content: '<s>' }, eos_token: '</s>' }
  const { tokensOf, idsOf, specials } = await read({ 'tokenizer_config.json': settings })
  expect(specials.named).toEqual({ bos_token: '<s>', eos_token: '</s>' })
  const tokens = tokensOf([{ role: 'user', content: 'Hi' }])
  expect(tokens).toEqual(idsOf('<s>user: Hi</s>assistant:'))
  expect(tokens.filter((id) => id === 1)).toHaveLength(1)
  const listed = {
    ...settings,
    chat_template: [
      { name: 'tool', template: 'x' },
      { name: 'default', template: 'y' },
    ],
  }
  expect((await read({ 'tokenizer_config.json': listed })).specials.template).toBe('y')
  expect((await read({ 'chat_template.jinja': 'z' })).specials.template).toBe('z')
})
