// signum evaluate: the perplexity of a model folder on a text.
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'
import { refusal, reply, unfinished, type Command } from './command.ts'
import * as quantities from '../contract/quantities.ts'
import type { Values } from './options.ts'
import { absolute } from './recipe-options.ts'

export const evaluate: Command = {
  spec: {
    name: 'evaluate',
    summary: 'Measure the perplexity of a model, original or packed.',
    positionals: [{ name: 'MODEL', help: "a model folder, a packed folder, or a run's folder." }],
    options: [
      {
        name: 'text',
        value: 'FILE',
        kind: 'text',
        help: 'A text, tokenized as the model does; or bundled:evaluation-stories.',
      },
      { name: 'tokens', value: 'FILE.u32', kind: 'text', help: 'Token ids instead: little-endian 32-bit numbers.' },
      {
        name: 'window',
        value: 'N',
        kind: 'integer',
        min: 2,
        help: "Tokens per window (default the model's context, at most 2048).",
      },
      { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
    ],
    notes: ['Protocol `papers`: windows without overlap, every target counted; the error is by window.'],
  },

  async run({ values, workbench, attention }) {
    const source = sourceOf(values)
    if (!source.ok) return refusal(source.problem)
    const request = {
      model: values.positionals[0]!,
      source: source.value,
      window: values.integer('window') ?? null,
      threads: values.integer('threads') ?? 0,
    }
    const ending = await workbench.evaluate(request, attention)
    if (ending.kind !== 'finished') return unfinished(ending, null)
    const { perplexity: found, text } = ending.value
    const how = `${path.basename(text.source)}, protocol ${found.protocol}, ${found.windows} windows of ${found.window}, ${found.tokens} targets`
    return reply(
      `perplexity ${quantities.perplexity(found)} (${how}), ${quantities.secondsText(found.seconds)} s`,
      ending.value,
    )
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
