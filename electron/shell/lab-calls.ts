// The layer lab for the window, which hears how far a linear is.
import type { WindowEvent } from '../contract/window.ts'
import type { Attention } from '../contract/api.ts'
import type { Workbench } from '../workbench.ts'

type Bench = Pick<Workbench, 'labOpen' | 'labTry'>

export function labCalls(workbench: Bench, tell: (event: WindowEvent) => void): Bench {
  const attention: Attention = {
    onEvent(event) {
      if (event.event !== 'progress') return
      const { phase, done, total, eta } = event
      tell({ kind: 'lab', phase, share: total > 0 ? Math.min(1, done / total) : 0, eta })
    },
  }
  return {
    labOpen: (place) => workbench.labOpen(place, attention),
    labTry: (request) => workbench.labTry(request, attention),
  }
}
