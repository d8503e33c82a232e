import { expect, test } from 'vitest'
import type { RunSummary } from '../../../electron/contract/history.ts'
import type { TextAnswer } from '../../../electron/contract/generation.ts'
import { beside, modelKey, runKey, sourcesOf } from './source.ts'
import { answerText, everythingText } from './text.ts'

const run = (id: number, folder: string | null, model = '/models/a') =>
  ({
    id,
    name: `run ${id}`,
    folder,
    recipe: { model },
    file_bytes: 5_000_000,
    nominal_bits: 1.1,
    linear_bits: 1.5,
    file_bits: 4,
  }) as unknown as RunSummary
const card = (folder: string, model: object | null) =>
  ({ id: 1, folder, name: folder.slice(-1), bundled: false, model, problem: null }) as never
const answer = { tokens: 11, seconds: 0.1, first_token_seconds: 0.0123, reason: 'stop' } as TextAnswer

test('originals that can be used and runs whose files are there can be asked', () => {
  const sources = sourcesOf(
    [card('/models/a', { bytes: 14e6 }), card('/models/b', null)],
    [run(1, '/r/1'), run(2, null)],
  )
  expect(sources.map(({ key, name }) => [key, name])).toEqual([
    ['model:/models/a', 'a (original)'],
    ['run:1', 'run 1'],
  ])
  expect(beside(run(1, '/r/1'), sources)).toEqual([modelKey('/models/a'), runKey(1)])
  expect(beside(run(3, '/r/3', '/models/gone'), sources)).toEqual([runKey(3)])
})

test('all as text, with what it took', () => {
  const [original, packed] = sourcesOf([card('/models/a', { bytes: 14e6 })], [run(1, '/r/1')])
  const texts = [answerText(original!, null, ''), answerText(packed!, answer, ' there was')]
  expect(everythingText('Once', { temperature: 0.8, top_k: 40, top_p: 0.95, seed: 1 }, texts)).toBe(
    [
      'Prompt (temperature 0.8, top-k 40, top-p 0.95, seed 1):',
      'Once',
      '',
      'a (original): 14.0 MB',
      '',
      '',
      'run 1: 5.00 MB; bits per weight 1.10 nominal, 1.50 linear, 4.00 file; 11 tokens (ended by itself); first token after 12 ms; 100 tokens/s',
      'there was',
      '',
    ].join('\n'),
  )
})
