// signum export: a model as one file that another program runs.
import { failure } from '../contract/errors.ts'
import { size } from '../contract/quantities.ts'
import { exportFormats, exportTypes } from '../contract/worker.ts'
import { refusal, reply, unfinished, type Command } from './command.ts'
import { chosen } from './recipe-options.ts'

export const exportCommand: Command = {
  spec: {
    name: 'export',
    summary: 'Write a model, original or packed, as one file for other programs.',
    positionals: [{ name: 'MODEL', help: "a model folder, a packed folder, or a run's folder." }],
    options: [
      { name: 'format', value: exportFormats.join('|'), kind: 'text', help: 'gguf: for llama.cpp (the default).' },
      { name: 'type', value: exportTypes.join('|'), kind: 'text', help: 'How matrices are stored (default f32).' },
      { name: 'out', value: 'FILE', kind: 'text', help: 'The file to write; one that is there is kept and refused.' },
      { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
    ],
    notes: ['Quantized linears are written as what they decode to: the file is as large as the unpacked model.'],
  },

  async run({ values, workbench, attention }) {
    const format = chosen(values, 'format', exportFormats)
    if (!format.ok) return refusal(format.problem)
    const type = chosen(values, 'type', exportTypes)
    if (!type.ok) return refusal(type.problem)
    const output = values.text('out')
    if (output === undefined) {
      return refusal(failure('option_invalid', 'Say where the file goes: --out FILE.gguf.').problem)
    }
    const request = {
      model: values.positionals[0]!,
      output,
      format: format.value ?? 'gguf',
      type: type.value ?? 'f32',
      threads: values.integer('threads') ?? 0,
    }
    const ending = await workbench.export(request, attention)
    if (ending.kind !== 'finished') return unfinished(ending, null)
    const { architecture, tensors, bytes, output: file } = ending.value
    return reply(`${file}: ${size(bytes)}, ${tensors} tensors, architecture ${architecture}`, ending.value)
  },
}
