// The first-run tour: from the model that came with Signum to a file, in the window itself. Each step ends when the person has done
// it, or by "Show me", which goes there.
import type { RunSummary } from '../../electron/contract/history.ts'
import type { Here } from '../client/navigation.svelte.ts'

/** What a step looks at to know that it is done. */
export type Seen = { here: Here; runs: readonly Pick<RunSummary, 'status'>[]; atWork: boolean }

export type Step = {
  title: string
  text: string
  /** The view that it happens in. */
  view: Here['view']
  /** A CSS selector of what to press or look at. */
  target: string
  done: (seen: Seen) => boolean
  /** Waits for the machine, not for the person. */
  waits?: boolean
}

const finished = ({ runs }: Seen) => runs.some(({ status }) => status === 'finished')
const isAt = (view: Here['view']) => (seen: Seen) => seen.here.view === view
const sidebar = (view: Here['view']) => `nav [data-view="${view}"]`

export const steps: readonly Step[] = [
  {
    title: 'A model',
    text: 'A small model came with Signum. Press Quantize to make a 1- to 2-bit model of it; your own folders are added with Add a folder.',
    view: 'models',
    target: '[data-tour="quantize"]',
    done: isAt('recipe'),
  },
  {
    title: 'A recipe',
    text: 'A method, a bit budget, a text to fit on: all of it is set. What comes out stands at the right. Press Start.',
    view: 'recipe',
    target: '[data-tour="start"]',
    done: (seen) => seen.atWork || finished(seen),
  },
  {
    title: 'A run',
    text: 'The map fills as layers are done, coloured by what each one lost. It takes some seconds.',
    view: 'runs',
    target: sidebar('runs'),
    done: finished,
    waits: true,
  },
  {
    title: 'What was lost',
    text: 'Perplexity beside the original, three bit numbers, where the bytes go. Now see the weights themselves: open Layers.',
    view: 'runs',
    target: sidebar('layers'),
    done: isAt('layers'),
  },
  {
    title: 'Every weight',
    text: 'Drag to move, scroll to zoom down to single weights; choose another picture above. Then try recipes on one linear: open Lab.',
    view: 'layers',
    target: sidebar('lab'),
    done: isAt('lab'),
  },
  {
    title: 'Recipes side by side',
    text: 'Each card is a recipe on this linear, answered within a second. Move a parameter and watch. Then open Compare.',
    view: 'lab',
    target: sidebar('compare'),
    done: isAt('compare'),
  },
  {
    title: 'Runs against each other',
    text: 'Every run by size and quality. Export, on the page of a run, writes it for other programs. That was the tour; Ctrl K finds everything.',
    view: 'compare',
    target: '[role="grid"], [role="table"]',
    done: () => false,
  },
]

/** The step to show: the first from `at` on that is not done. Steps are never gone back to. */
export function stepNow(at: number, seen: Seen): number {
  let now = at
  while (now < steps.length - 1 && steps[now]!.done(seen)) now++
  return now
}
