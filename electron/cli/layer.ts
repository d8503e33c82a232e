// signum layer: one matrix, from a safetensors file to a safetensors file.
import { failure } from '../contract/errors.ts'
import { refusal, reply, unfinished, type Command } from './command.ts'
import * as quantities from '../contract/quantities.ts'
import { methodOptions, recipeFrom } from './recipe-options.ts'

export const layer: Command = {
  spec: {
    name: 'layer',
    summary: 'Quantize one matrix: weight and hessian in, packed tensors and what they decode to out.',
    positionals: [
      { name: 'IN.safetensors', help: 'holds weight [rows, columns] and hessian [columns, columns] (undamped), F32.' },
    ],
    options: [
      ...methodOptions,
      {
        name: 'out',
        value: 'OUT.safetensors',
        kind: 'text',
        help: 'Packed tensors (linear.ROLE) and decoded [rows, columns] F32.',
      },
      { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
    ],
  },

  async run({ values, workbench, attention }) {
    const recipe = await recipeFrom(values, undefined)
    if (!recipe.ok) return refusal(recipe.problem)
    const [input] = values.positionals
    const output = values.text('out')
    if (output === undefined || recipe.value === null || input === undefined) {
      return refusal(failure('option_invalid', 'Say where the result goes: --out OUT.safetensors.').problem)
    }
    const request = { input, output, recipe: recipe.value, threads: values.integer('threads') ?? 0 }
    const ending = await workbench.layer(request, attention)
    if (ending.kind !== 'finished') return unfinished(ending, null)
    const { layer: done } = ending.value
    const errors = [
      `weight ${done.relative_weight_error?.toFixed(4) ?? 'not known'}`,
      `output ${done.relative_output_error?.toFixed(4) ?? 'not known'}`,
    ]
    const text = [
      `${done.rows} x ${done.columns}: ${quantities.bits(done.nominal_bits)} bits nominal, ${quantities.bits(done.linear_bits)} stored`,
      `relative error: ${errors.join(', ')}`,
      `${quantities.secondsText(done.seconds ?? 0)} s, ${ending.value.output}`,
    ]
    return reply(text.join('\n'), ending.value)
  },
}
