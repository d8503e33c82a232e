// Settings live in the history, one row per key, changed together or not at all.
import type { Ending, Request } from '../contract/api.ts'
import { settingKeys, settingsSchema, type Settings } from '../contract/settings.ts'
import type { History } from '../history/history.ts'
import { endingOf, type Context } from './context.ts'
import { withHistory } from './history.ts'

export const settings = (context: Context): Promise<Ending<Settings>> =>
  withHistory(context, (history) => Promise.resolve(endingOf(history.read(() => readSettings(history)))))

export const changeSettings = (context: Context, changes: Request<'changeSettings'>): Promise<Ending<Settings>> =>
  withHistory(context, (history) =>
    Promise.resolve(
      endingOf(
        history.write(() => {
          for (const [key, value] of Object.entries(changes)) {
            if (value !== undefined) history.settings.set(key, value)
          }
          return readSettings(history)
        }),
      ),
    ),
  )

/** What is not set, or no longer fits, has its default. */
export function readSettings(history: History): Settings {
  const stored: Record<string, unknown> = {}
  for (const key of settingKeys) {
    const schema = settingsSchema.shape[key].unwrap()
    const value = history.settings.get(key, schema)
    if (value !== null) stored[key] = value
  }
  return settingsSchema.parse(stored)
}
