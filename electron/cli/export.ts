// signum export: a model as files that another program reads.
import type { Answer } from '../contract/api.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { exportFormat, exportFormats, type Rounding } from '../contract/exports.ts'
import * as quantities from '../contract/quantities.ts'
import { readBytes } from './budget.ts'
import { refusal, reply, unfinished, type Command } from './command.ts'
import { chosen } from './recipe-options.ts'

const types = exportFormats.map((format) => `${format}: ${exportFormat(format).types.join(', ')}`).join('; ')

export const exportCommand: Command = {
  spec: {
    name: 'export',
    summary: 'Write a model, original or packed, for other programs, and prove that it is the same model.',
    positionals: [{ name: 'MODEL', help: "a model folder, a packed folder, or a run's folder." }],
    options: [
      {
        name: 'format',
        value: exportFormats.join('|'),
        kind: 'text',
        help: 'gguf: for llama.cpp (the default). huggingface: plain weights. gptq: for vLLM and transformers. packed: as it is.',
      },
      { name: 'type', value: 'T', kind: 'text', help: `How matrices are stored, the usual way first: ${types}.` },
      { name: 'out', value: 'PATH', kind: 'text', help: 'What to write; something that is there is kept and refused.' },
      {
        name: 'overwrite',
        kind: 'flag',
        help: 'Replace a file that is there, once the new one is whole and verified.',
      },
      { name: 'link', kind: 'flag', help: 'Format packed: another name for the same bytes instead of a copy.' },
      {
        name: 'shard-size',
        value: 'SIZE',
        kind: 'text',
        help: 'Formats that are folders: cut the weights into files of at most SIZE, such as 5GB.',
      },
      { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
    ],
    notes: [
      'Quantized linears are written as what they decode to. Every number is read back and compared before the output gets its name.',
    ],
  },

  async run({ values, workbench, attention }) {
    const format = chosen(values, 'format', exportFormats)
    if (!format.ok) return refusal(format.problem)
    const output = values.text('out')
    if (output === undefined) return refusal(failure('option_invalid', 'Say where it goes: --out FILE.gguf.').problem)
    const shard = shardBytes(values.text('shard-size'))
    if (!shard.ok) return refusal(shard.problem)
    const request = {
      model: values.positionals[0]!,
      output,
      format: format.value ?? 'gguf',
      type: values.text('type') ?? null,
      shard_bytes: shard.value,
      overwrite: values.flag('overwrite'),
      link: values.flag('link'),
      threads: values.integer('threads') ?? 0,
    }
    const ending = await workbench.export(request, attention)
    if (ending.kind !== 'finished') return unfinished(ending, null)
    return reply(exportText(ending.value), ending.value)
  },
}

function shardBytes(text: string | undefined): Result<number> {
  if (text === undefined) return success(0)
  const bytes = readBytes(text)
  if (bytes !== null) return success(Math.floor(bytes))
  return failure('option_invalid', `--shard-size must be bytes, such as 5GB or 900MiB, not '${text}'.`)
}

/** What was written, what of it is exact, and the hashes to check it by. */
function exportText({ output, bytes, tensors, architecture, ...rest }: Answer<'export'>): string {
  const { verification, types, chosen, files } = rest
  const family = architecture === null ? '' : `, architecture ${architecture}`
  const lines = [`${output}: ${quantities.size(bytes)}, ${tensors} tensors${family}`]
  for (const one of types) {
    lines.push(`  ${one.type.padEnd(6)} ${String(one.tensors).padStart(5)} tensors, ${roundingText(one)}`)
  }
  lines.push(`verified: ${quantities.count(verification.values)} numbers read back, ${roundingText(verification)}`)
  for (const { tensor, type, reason, relative_error } of chosen) {
    const error = relative_error > 0 ? ` (${errorText(relative_error)})` : ''
    lines.push(`  ${tensor} ${type}: ${reason}${error}`)
  }
  for (const { name, sha256 } of files) lines.push(`sha256 ${sha256}  ${name}`)
  return lines.join('\n')
}

const errorText = (relative: number) => `relative error ${relative.toExponential(1)}`

/** all as the model decodes them; 1,024 of 2,048 exact, relative error 1.7e-4, at most 2.4e-4. */
export function roundingText({
  values,
  exact_values,
  relative_error,
  largest_error,
}: Omit<Rounding, 'tensors'>): string {
  if (exact_values === values) return 'all as the model decodes them'
  const exact = `${quantities.count(exact_values)} of ${quantities.count(values)} exact`
  return `${exact}, ${errorText(relative_error)}, at most ${largest_error.toExponential(1)}`
}
