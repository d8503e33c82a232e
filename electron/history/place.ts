// Where Signum keeps its data: the history, and the runs that were given no folder of their own.
import { homedir } from 'node:os'
import path from 'node:path'

export type Surroundings = {
  environment: Readonly<Record<string, string | undefined>>
  platform: NodeJS.Platform
  home: string
}

const here = (): Surroundings => ({ environment: process.env, platform: process.platform, home: homedir() })

/** `chosen`: the option --data. Then SIGNUM_DATA, then the platform's own place for such things. */
export function dataFolder(chosen?: string, { environment, platform, home }: Surroundings = here()): string {
  const named = chosen ?? environment['SIGNUM_DATA']
  if (named) return path.resolve(named)
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'Signum')
  if (platform === 'win32')
    return path.join(environment['LOCALAPPDATA'] || path.join(home, 'AppData', 'Local'), 'Signum')
  const xdg = environment['XDG_DATA_HOME']
  // The XDG specification: a relative path there counts as none.
  return path.join(xdg && path.isAbsolute(xdg) ? xdg : path.join(home, '.local', 'share'), 'signum')
}

export const historyFile = (data: string) => path.join(data, 'history.db')
export const runsFolder = (data: string) => path.join(data, 'runs')
/** What was measured of candidate recipes, one file for each model, calibration and list of candidates. */
export const measurementsFolder = (data: string) => path.join(data, 'measurements')
/** Hessians of linear inputs for the layer lab: a folder for each model and calibration, in it a file for each input. */
export const hessiansFolder = (data: string) => path.join(data, 'hessians')
