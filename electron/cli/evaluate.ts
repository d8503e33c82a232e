// signum evaluate: a model folder measured on a text, alone or beside the model that it was made from.
import { failure, success, type Result } from '../contract/errors.ts'
import { protocols, protocolWords } from '../contract/evaluation.ts'
import { joins } from '../contract/recipe.ts'
import { deviceFrom, deviceOption } from './device-options.ts'
import { refusal, reply, unfinished, type Command } from './command.ts'
import type { Values } from './options.ts'
import { evaluationText } from './evaluation-text.ts'
import { absolute, chosen, joinOption, protocolOption } from './recipe-options.ts'

export const evaluate: Command = {
  spec: {
    name: 'evaluate',
    summary: 'Measure a model, original or packed: perplexity, and its distance from another one.',
    positionals: [{ name: 'MODEL', help: "a model folder, a packed folder, or a run's folder." }],
    options: [
      {
        name: 'text',
        value: 'FILE',
        kind: 'text',
        help: 'A text or documents (.jsonl, .json.gz), tokenized as the model does; or bundled:evaluation-stories.',
      },
      { name: 'tokens', value: 'FILE.u32', kind: 'text', help: 'Token ids instead: little-endian 32-bit numbers.' },
      {
        name: 'window',
        value: 'N',
        kind: 'integer',
        min: 2,
        help: "Tokens per window (default the model's context, at most 2048, with llama.cpp 512).",
      },
      protocolOption,
      joinOption('join', 'the text'),
      {
        name: 'against',
        value: 'MODEL',
        kind: 'text',
        help: 'Also measure this model, and how far the other one is from it: KL divergence, same top token, probabilities.',
      },
      deviceOption,
      { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
    ],
    notes: protocols.map((protocol) => `Protocol ${protocol}: ${protocolWords[protocol]}`),
  },

  async run({ values, workbench, attention }) {
    const source = sourceOf(values)
    if (!source.ok) return refusal(source.problem)
    const protocol = chosen(values, 'protocol', protocols)
    if (!protocol.ok) return refusal(protocol.problem)
    const join = chosen(values, 'join', joins)
    if (!join.ok) return refusal(join.problem)
    const device = deviceFrom(values)
    if (!device.ok) return refusal(device.problem)
    const request = {
      model: values.positionals[0]!,
      source: source.value,
      window: values.integer('window') ?? null,
      protocol: protocol.value ?? 'papers',
      join: join.value ?? 'raw',
      against: values.text('against') ?? null,
      threads: values.integer('threads') ?? 0,
      ...device.value,
    }
    const ending = await workbench.evaluate(request, attention)
    if (ending.kind !== 'finished') return unfinished(ending, null)
    return reply(evaluationText(ending.value), ending.value)
  },
}

function sourceOf(values: Values): Result<string> {
  const [text, tokens] = [values.text('text'), values.text('tokens')]
  if ((text === undefined) === (tokens === undefined)) {
    return failure(
      'option_invalid',
      'Give either --text FILE (for example bundled:evaluation-stories) or --tokens FILE.u32.',
    )
  }
  if (text !== undefined) return success(absolute(text))
  if (!tokens!.endsWith('.u32')) return failure('option_invalid', `A token file's name ends in .u32, not '${tokens}'.`)
  return success(absolute(tokens!))
}
