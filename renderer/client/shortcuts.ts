// What the keyboard does, by place: Settings and the list behind F1 show it.
import { viewNames } from './navigation.svelte.ts'

export type Shortcut = { keys: string[]; between?: string; does: string }
export type ShortcutPlace = { place: string; shortcuts: Shortcut[] }

/** The key that this system uses for commands. */
export const commandKey = navigator.userAgent.includes('Mac') ? '⌘' : 'Ctrl'

export const shortcuts: ShortcutPlace[] = [
  {
    place: 'Everywhere',
    shortcuts: [
      { keys: [`${commandKey} K`], does: 'finds whatever can be done, and runs by their name' },
      {
        keys: [`${commandKey} 1`, `${commandKey} ${viewNames.length}`],
        between: 'to',
        does: 'the views, from Models to Settings',
      },
      { keys: ['Alt ←'], does: 'back to where you were' },
      { keys: [`${commandKey} Z`], does: 'undoes what the foot of the window offers to undo' },
      { keys: [`${commandKey} +`, `${commandKey} −`, `${commandKey} 0`], does: 'larger, smaller, usual size' },
      { keys: ['F1'], does: 'this list' },
      { keys: ['Tab', 'Shift Tab'], between: 'and', does: 'next and previous control' },
      { keys: ['Esc'], does: 'closes menus and questions' },
    ],
  },
  {
    place: 'Table of runs',
    shortcuts: [
      { keys: ['↑', '↓', 'Home', 'End'], does: 'moves' },
      { keys: ['Space'], does: 'chooses the row for comparing' },
      { keys: ['Shift ↓', `${commandKey} A`], between: 'and', does: 'choose rows one after another; all' },
      { keys: ['B'], does: 'makes it the baseline, or takes it off' },
      { keys: ['T', 'N'], between: 'and', does: 'write its tags; its note' },
      { keys: ['E', 'Delete'], between: 'and', does: 'archive it; delete it' },
      { keys: ['M'], does: 'shows all that can be done with it' },
      { keys: ['Enter'], does: 'opens the run' },
      { keys: ['Alt →', 'Alt Shift →'], between: 'and', does: 'on the head of a column: move it; make it wider' },
    ],
  },
  {
    place: 'Prompt',
    shortcuts: [
      { keys: [`${commandKey} Enter`], does: 'starts, from the prompt' },
      { keys: ['Esc'], does: 'stops' },
    ],
  },
  {
    place: 'Where it fails',
    shortcuts: [
      { keys: ['N', 'P'], between: 'and', does: 'the next worst token; the one before' },
      { keys: ['←', '→'], does: 'from token to token, in the text' },
    ],
  },
  {
    place: 'Matrix',
    shortcuts: [
      { keys: ['←', '→', '↑', '↓'], does: 'moves' },
      { keys: ['+', '−'], does: 'zooms' },
      { keys: ['0', '1'], between: 'and', does: 'the whole matrix; single weights' },
      { keys: ['W'], does: 'the block with the largest error, then the next largest' },
      { keys: ['Shift ←'], does: 'points at the next weight, likewise with the other arrows' },
    ],
  },
]
