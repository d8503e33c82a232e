// Texts and conversations on the command line, with a worker that repeats its prompt.
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openWorkbench } from '../workbench.ts'
import { commandLine } from './command-line.ts'
import type { Dialogue } from './command.ts'
import { ProgressLine } from './progress.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')
const worker = path.join(root, 'electron', 'worker', 'testing', 'fake-worker.mjs')
let folder = ''
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))))
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => void vi.unstubAllEnvs())

type Typed = { lines?: string[]; interrupts?: (interrupt: () => void, written: string) => void; signals?: object }

async function signum(argv: string[], { lines = [], interrupts, signals = {} }: Typed = {}, manners = '') {
  vi.stubEnv('SIGNUM_FAKE', manners)
  const workbench = await openWorkbench(root, { worker: { ok: true, value: worker } })
  let [out, err] = ['', '']
  let interrupt = () => undefined as void
  const written = (key: 'out' | 'err') => (text: string) => {
    if (key === 'out') out += text
    else err += text
    interrupts?.(interrupt, out + err)
  }
  const progress = new ProgressLine({ write: () => undefined, terminal: false, columns: () => 80, now: () => 0 })
  const dialogue: Dialogue = {
    lines: async function* () {
      for (const line of lines) yield await Promise.resolve(line)
    },
    interactive: false,
    onInterrupt: (listener) => {
      interrupt = listener
      return () => undefined
    },
  }
  const terminal = { out: written('out'), err: written('err'), progress }
  const code = await commandLine(argv, { workbench, terminal, dialogue, signals: () => signals })
  return { code, out, err }
}
const place = (name: string) => path.join(folder, name)
/** A model that ends no text, with this template. */
async function talker(name: string, template: string | null): Promise<string> {
  const made = place(name)
  await cp(model, made, { recursive: true })
  const file = path.join(made, 'tokenizer_config.json')
  const settings = JSON.parse(await readFile(file, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...settings, ...(template === null ? {} : { chat_template: template }) }))
  return made
}

describe('generate', () => {
  test('tells the text as it comes, then what it took', async () => {
    const { code, out, err } = await signum(['generate', model, '--prompt', 'One day', '--tokens', '4', '--seed', '0'])
    expect(code).toBe(0)
    expect(out).toBe('One day One day One day\n')
    expect(err).toBe('4 tokens (as many as were asked for), first token after 50 ms, 100 tokens/s\n')
  })

  test('a stop text ends it, and is not told', async () => {
    const { out, err } = await signum(['generate', model, '--prompt', 'One day', '--seed', '0', '--stop', ' day'])
    expect(out).toBe('One day One\n')
    expect(err).toContain('ended by itself')
  })

  test('several texts go into a file that calibrations read', async () => {
    const argv = ['generate', model, '--prompt', 'One day', '--tokens', '1', '--count', '2', '--seed', '4']
    expect(await signum([...argv, '--out', place('a.txt')])).toMatchObject({ code: 0, out: '' })
    expect(await readFile(place('a.txt'), 'utf8')).toBe('One day One\n\nOne day day\n')
    await signum([...argv, '--out', place('a.jsonl')])
    const documents = (await readFile(place('a.jsonl'), 'utf8')).trim().split('\n')
    expect(documents.map((line) => JSON.parse(line) as object)).toEqual([
      { text: 'One day One' },
      { text: 'One day day' },
    ])
    const again = await signum([...argv, '--out', place('a.txt')])
    expect(again).toMatchObject({ code: 2, err: `option_invalid: ${place('a.txt')} is already there.\n` })
  })

  test('one JSON document, and a prompt from a file', async () => {
    await writeFile(place('prompt.txt'), 'One day')
    const argv = ['generate', model, '--prompt-file', place('prompt.txt'), '--tokens', '2', '--temperature', '0']
    const { out } = await signum([...argv, '--json'])
    expect(JSON.parse(out)).toMatchObject({
      prompt: 'One day',
      temperature: 0,
      top_p: 0.95,
      texts: [{ text: ' One day', tokens: 2, reason: 'length', packed: false, context: 256 }],
    })
  })

  test('Ctrl-C leaves nothing of a file', async () => {
    const argv = ['generate', model, '--count', '3', '--out', place('c.txt')]
    const cancelled = await signum(argv, { signals: { cancel: AbortSignal.abort() } })
    expect(cancelled.code).toBe(130)
    expect([place('c.txt'), place('c.txt.partial')].map((file) => existsSync(file))).toEqual([false, false])
  })

  test.each([
    ['--device gpu', "option_invalid: --device must be auto, cpu or cuda:N, not 'gpu'."],
    ['--temperature hot', "option_invalid: --temperature must be a number from 0 to 100, not 'hot'."],
    ['--top-p 0', '--top-p must be a number from'],
    ['--top-p 1.5', '--top-p must be a number from'],
    ['--prompt a --prompt-file b', 'Give either --prompt or --prompt-file.'],
    ['--prompt-file nowhere.txt', 'text_unreadable: The prompt nowhere.txt'],
    ['--context 3 --prompt many-more-tokens-than-that', 'context_too_long: The prompt has'],
  ])('%s is refused', async (options, words) => {
    const { code, err } = await signum(['generate', model, ...options.split(' ')])
    expect(code).toBeGreaterThan(0)
    expect(err).toContain(words)
  })
})

describe('chat', () => {
  const brief = ['--tokens', '3', '--seed', '0']

  test("puts the conversation into the model's own form", async () => {
    const template =
      "{{ bos_token }}{% for message in messages %}[{{ message['role'] }}]{{ message['content'] }}{% endfor %}"
    const talking = await talker('with', template)
    const { code, out } = await signum(['chat', talking, ...brief, '--json'], { lines: ['Hello', 'Again'] })
    expect(code).toBe(0)
    const { messages } = JSON.parse(out) as { messages: { role: string; content: string }[] }
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
    // The worker repeats what it was given to read, in the template's form.
    expect(messages[1]!.content).toMatch(/^\[u/)
  })

  test('a model without a template says so, and goes on with plain text', async () => {
    const lines = ['Hello', 'Again']
    const { code, out, err } = await signum(['chat', model, '--tokens', '9', '--seed', '0'], { lines })
    expect(code).toBe(0)
    expect(err.match(/note: chat_template_missing: The model has no chat template/g)).toHaveLength(1)
    expect(err).not.toContain('more of this kind')
    expect(out).toMatch(/^User: Hello\n/)
  })

  test('a template that cannot be used is named', async () => {
    const talking = await talker('broken', "{{ raise_exception('no') }}")
    const { code, err } = await signum(['chat', talking], { lines: ['Hello'] })
    expect(code).toBe(1)
    expect(err).toContain('chat_template_broken: The chat template of the model cannot be used: no')
  })

  test('commands change the conversation, and unknown ones are explained', async () => {
    const lines = ['Hello', '/reset', '/temperature 0', '/seed 5', '/sneeze', '/temperature hot', 'Again', '/exit', 'x']
    const { out, err } = await signum(['chat', model, ...brief, '--json'], { lines })
    expect(JSON.parse(out)).toMatchObject({ messages: [{ content: 'Again' }, { role: 'assistant' }] })
    expect(err).toContain('A new conversation.')
    expect(err).toContain('There is no /sneeze.')
    expect(err).toContain('There is no /temperature hot.')
  })

  test('a conversation that is too long is said, and can begin anew', async () => {
    const lines = ['much too long for such a context', '/reset', 'Hi']
    const { code, err } = await signum(['chat', model, ...brief, '--context', '14'], { lines })
    expect(code).toBe(0)
    expect(err).toContain('/reset begins a new conversation.')
  })

  test('Ctrl-C ends the answer under way, and the chat goes on', async () => {
    let once = false
    const interrupts = (interrupt: () => void, written: string) => {
      if (once || !written.includes('User')) return
      once = true
      interrupt()
    }
    const { code, err } = await signum(
      ['chat', model, '--seed', '0'],
      { lines: ['Hello', 'Again'], interrupts },
      'slow',
    )
    expect(code).toBe(0)
    expect(err).toContain('(stopped)')
    expect(err.match(/tokens? \(/g)).toHaveLength(2)
  })
})
