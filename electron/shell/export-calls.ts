// Exports for the window: of finished runs, watched and given up.
import type { Answer, Ending } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import type { WindowContract, WindowEvent } from '../contract/window.ts'
import type { z } from 'zod'
import type { Workbench } from '../workbench.ts'

type Request = z.output<WindowContract['startExport']['request']>
type Bench = Pick<Workbench, 'run' | 'settings' | 'export'>

export function exportCalls(workbench: Bench, tell: (event: WindowEvent) => void) {
  let current: AbortController | null = null
  return {
    async startExport({ run: id, ...request }: Request): Promise<Ending<Answer<'export'>>> {
      if (current !== null) return refused('export_busy', 'Another export is being written: wait for it, or cancel it.')
      const own = new AbortController()
      current = own
      try {
        const run = await workbench.run({ id })
        if (run.kind !== 'finished') return run
        const { folder, status } = run.value
        if (folder === null) return refused('run_lost', `The files of run ${id} are gone.`)
        if (status !== 'finished')
          return refused('run_unknown', `Run ${id} is not finished: there is nothing to export.`)
        const settings = await workbench.settings({})
        const threads = settings.kind === 'finished' ? settings.value.threads : 0
        return await workbench.export(
          { ...request, model: folder, overwrite: true, threads },
          {
            cancel: own.signal,
            onEvent(event) {
              if (event.event !== 'progress') return
              const { phase, done, total, eta } = event
              tell({ kind: 'exporting', run: id, phase, share: total > 0 ? Math.min(1, done / total) : 0, eta })
            },
          },
        )
      } finally {
        current = null
        tell({ kind: 'history' })
      }
    },
    cancelExport(): Promise<Ending<null>> {
      current?.abort()
      return Promise.resolve({ kind: 'finished', value: null })
    },
  }
}

const refused = (...why: Parameters<typeof failure>): Ending<never> => ({
  kind: 'failed',
  problem: failure(...why).problem,
})
