// The history's database in an Electron that is older than the addon it comes with: Electron 33, which stands in where the
// download of the real one is out of reach. Node 24 and Electron 35 or newer need nothing.
import { existsSync, rmSync } from 'node:fs'
import { chosenElectron } from './electron.mjs'
import { inRoot, Refusal, root, run } from './node.mjs'

/** Electron's first version with Node-API 10. */
const electronThatFits = 35

/** @param {string | null} version such as 33.2.1 */
export const needsStandIn = (version) => version !== null && Number(version.split('.')[0]) < electronThatFits

/** Builds the stand-in where one is needed and not there. @returns {Promise<string>} what was done */
export async function sqliteAddon() {
  const built = inRoot('node_modules', 'better-sqlite3', 'build', 'Release', 'better_sqlite3.node')
  if (!needsStandIn(chosenElectron())) {
    rmSync(built, { force: true }) // from a time when one was needed
    return 'as it came'
  }
  if (existsSync(built)) return 'stand-in, up to date'
  const code = await run('bash', [inRoot('scripts', 'better-sqlite3-stand-in'), root])
  if (code !== 0) throw new Refusal('sqlite_failed', 'The database cannot be built for this Electron; see above.')
  return 'stand-in, built'
}
