// signum doctor: what is there, what is missing, and the line to type.
import { exitCodes } from '../contract/errors.ts'
import { reply, unfinished, type Command } from './command.ts'

export const doctor: Command = {
  spec: {
    name: 'doctor',
    summary: 'Check the installation: versions, worker, processor, memory.',
    positionals: [],
    options: [],
  },

  async run({ workbench, attention }) {
    const ending = await workbench.doctor({}, attention)
    if (ending.kind !== 'finished') return unfinished(ending, null)
    const { version, checks } = ending.value
    const lines = checks.map(({ name, ok, state, remedy }) => {
      const line = `${ok ? 'ok     ' : 'MISSING'}  ${name.padEnd(12)} ${state}`
      return remedy === null ? line : `${line}\n${' '.repeat(22)}type: ${remedy}`
    })
    const sound = checks.every(({ ok }) => ok)
    return reply(
      [`signum ${version}`, ...lines].join('\n'),
      ending.value,
      sound ? exitCodes.finished : exitCodes.failed,
    )
  },
}
