// How texts are drawn: the options of generate and chat.
import { processor } from '../contract/devices.ts'
import { standardSampling, type Sampling } from '../contract/generation.ts'
import { deviceOption } from './device-options.ts'
import type { Option, Values } from './options.ts'

const { temperature, top_k, top_p, seed } = standardSampling

export const modelPositional = { name: 'MODEL', help: "a model folder, a packed folder, or a run's folder." }

export const textOptions: readonly Option[] = [
  {
    name: 'tokens',
    value: 'N',
    kind: 'integer',
    min: 1,
    max: 1_000_000,
    help: 'The most tokens of a text (default 256).',
  },
  {
    name: 'temperature',
    value: 'T',
    kind: 'number',
    max: 100,
    help: `0: always the most probable token (default ${temperature}).`,
  },
  {
    name: 'top-k',
    value: 'K',
    kind: 'integer',
    max: 1_000_000,
    help: `Only of the K most probable tokens; 0: of all (default ${top_k}).`,
  },
  {
    name: 'top-p',
    value: 'P',
    kind: 'number',
    min: Number.MIN_VALUE,
    max: 1,
    help: `Only of the most probable tokens that have the probability P together; 1: of all (default ${top_p}).`,
  },
  {
    name: 'seed',
    value: 'N',
    kind: 'integer',
    help: `The same seed draws the same numbers for every model (default ${seed}).`,
  },
  { name: 'stop', value: 'TEXT', kind: 'list', help: 'The text ends before this one; may be given again.' },
  {
    name: 'context',
    value: 'N',
    kind: 'integer',
    max: 1_000_000,
    help: "Tokens of prompt and text that are kept (default the model's context, at most 4096).",
  },
  { ...deviceOption, help: 'Where it computes: cpu, cuda:N, or auto (a card where it fits) (default cpu).' },
  { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
]

export const samplingFrom = (values: Values): Sampling => ({
  temperature: values.number('temperature') ?? temperature,
  top_k: values.integer('top-k') ?? top_k,
  top_p: values.number('top-p') ?? top_p,
  seed: values.integer('seed') ?? seed,
})

export const textRequestFrom = (values: Values) => ({
  model: values.positionals[0]!,
  max_tokens: values.integer('tokens') ?? 256,
  stop: values.list('stop'),
  context: values.integer('context') ?? 0,
  threads: values.integer('threads') ?? 0,
  device: values.text('device') ?? processor,
})
