// The commands that are there whatever is on screen.
import type { RunSummary } from '../../electron/contract/history.ts'
import { themes } from '../../electron/contract/settings.ts'
import { ask } from '../client/client.ts'
import type { Command } from '../client/commands.ts'
import { navigation, viewNames } from '../client/navigation.svelte.ts'
import { notices } from '../client/notices.svelte.ts'
import { runs } from '../client/runs.svelte.ts'
import { settings } from '../client/settings.svelte.ts'
import { commandKey } from '../client/shortcuts.ts'
import { views } from './views.ts'

const themeTitles = { system: 'Colours as the system', light: 'Light colours', dark: 'Dark colours' }

/** `show`: what only the frame can open. */
export function frameCommands(show: { shortcuts: () => void; tour: () => void }): Command[] {
  const { current } = runs
  return [
    ...viewNames.map((name) => ({
      id: `view ${name}`,
      title: views[name].title,
      group: 'Go to',
      keys: `${commandKey} ${views[name].key}`,
      run: () => navigation.go(name),
    })),
    { id: 'back', title: 'Back to where you were', group: 'Go to', keys: 'Alt ←', run: () => navigation.back() },
    ...ofRun(runs.get(navigation.here.run)),
    ...(current === null
      ? []
      : [
          {
            id: 'stop run',
            title: 'Stop the run at work after its layer',
            group: 'Queue',
            words: 'pause',
            run: () => void ask('stopRun', { id: current }),
          },
          {
            id: 'cancel run',
            title: 'Cancel the run at work',
            group: 'Queue',
            words: 'abort',
            run: () => void ask('cancelRun', { id: current }),
          },
        ]),
    ...themes.map((theme) => ({
      id: `theme ${theme}`,
      title: themeTitles[theme],
      group: 'Window',
      words: 'theme appearance',
      run: () => void settings.change({ theme }),
    })),
    {
      id: 'shortcuts',
      title: 'Show the keyboard shortcuts',
      group: 'Help',
      keys: 'F1',
      words: 'keys',
      run: show.shortcuts,
    },
    { id: 'tour', title: 'Take the tour', group: 'Help', words: 'first run introduction', run: show.tour },
    ...(notices.list.some(({ undo }) => undo !== null)
      ? [{ id: 'undo', title: 'Undo', group: 'Window', keys: `${commandKey} Z`, run: () => void notices.undo() }]
      : []),
  ]
}

/** What can be done with the run that is shown. */
function ofRun(run: RunSummary | null): Command[] {
  if (run?.status !== 'finished' || run.folder === null) return []
  const { id, name } = run
  const group = name
  const go = (view: 'layers' | 'runs' | 'prompt' | 'compare' | 'tokens', title: string, words: string): Command => ({
    id: `this run ${view}`,
    title,
    group,
    words,
    run: () => navigation.go(view, { run: id }),
  })
  return [
    go('runs', 'Show its result', 'perplexity bits'),
    go('layers', 'Look at its layers', 'weights matrix signs'),
    go('prompt', 'Let it write', 'prompt generate text'),
    go('tokens', 'See where it fails', 'token losses words text'),
    {
      id: 'this run baseline',
      title: settings.now.baseline === id ? 'Take it off as baseline' : 'Compare others with it',
      group,
      words: 'baseline pin',
      run: () => {
        void settings.change({ baseline: settings.now.baseline === id ? null : id })
        navigation.go('compare')
      },
    },
    {
      id: 'this run folder',
      title: 'Show its folder',
      group,
      words: 'files',
      run: () => void ask('showRun', { id }),
    },
  ]
}
