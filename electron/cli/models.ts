// signum models: the model folders below a folder.
import { reply, unfinished, type Command } from './command.ts'
import * as quantities from '../contract/quantities.ts'
import { table, type Column } from './table.ts'

const columns: Column[] = [
  { title: 'model', align: 'left' },
  { title: 'architecture', align: 'left' },
  { title: 'parameters', align: 'right' },
  { title: 'layers', align: 'right' },
  { title: 'context', align: 'right' },
  { title: 'dtype', align: 'left' },
  { title: 'size', align: 'right' },
  { title: 'state', align: 'left' },
]

export const models: Command = {
  spec: {
    name: 'models',
    summary: 'List the models below a folder, in a Hub cache too, and what is wrong with the others.',
    positionals: [{ name: 'DIR', help: 'the folder to look in.' }],
    options: [],
  },

  async run({ values, workbench, attention }) {
    const ending = await workbench.models({ folder: values.positionals[0]! }, attention)
    if (ending.kind !== 'finished') return unfinished(ending, null)
    if (ending.value.length === 0)
      return reply(`No folder at or below ${values.positionals[0]} has a config.json.`, { models: [] })
    const rows = ending.value.map(({ name, model, problem }) => {
      if (model === null) return [name, '', '', '', '', '', '', `${problem!.code}: ${problem!.message}`]
      const { architecture, parameters, layers, context, dtype, bytes, packed } = model
      const state = packed ? 'packed' : 'ready'
      return [
        name,
        architecture,
        quantities.amount(parameters),
        String(layers),
        String(context),
        dtype,
        quantities.size(bytes),
        state,
      ]
    })
    return reply(table(columns, rows), { models: ending.value })
  },
}
