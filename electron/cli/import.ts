// signum import: a packed folder that was made elsewhere becomes a run.
import { reply, unfinished, type Command } from './command.ts'

export const importCommand: Command = {
  spec: {
    name: 'import',
    summary: 'Make a packed folder that was made elsewhere a finished run of the history, once its hashes are checked.',
    positionals: [{ name: 'FOLDER', help: "a packed folder, or a run's folder." }],
    options: [
      {
        name: 'name',
        value: 'NAME',
        kind: 'text',
        help: 'What the run is called (default: folder, method, parameters).',
      },
      { name: 'link', kind: 'flag', help: 'Another name for the same bytes instead of a copy.' },
    ],
    notes: [
      'Recipe, calibration, layouts and bits come from the files. Errors of single linears and measurements are not in them: signum evaluate measures anew.',
    ],
  },

  async run({ values, workbench, attention }) {
    const name = values.text('name') ?? null
    const request = { folder: values.positionals[0]!, name, link: values.flag('link') }
    const ending = await workbench.import(request, attention)
    if (ending.kind !== 'finished') return unfinished(ending, null)
    const { id, known } = ending.value
    const text = known ? `This model is run ${id} already.` : `Run ${id} is this model: signum runs show ${id}`
    return reply(text, ending.value)
  },
}
