// Where the worker's program is.
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { failure, success, type Result } from '../contract/errors.ts'

const name = process.platform === 'win32' ? 'signum-worker.exe' : 'signum-worker'

export type Places = {
  /** SIGNUM_WORKER; where it is set, nothing else is tried. */
  chosen: string | undefined
  /** Folders to look in: a checkout's build, a packaged program's resources. */
  folders: readonly string[]
}

export const usualPlaces = (root: string): Places => ({
  chosen: process.env['SIGNUM_WORKER'],
  folders: [path.join(root, 'build', 'release'), path.join(root, 'resources', 'worker')],
})

export async function findWorker({ chosen, folders }: Places): Promise<Result<string>> {
  const candidates = chosen === undefined ? folders.map((folder) => path.join(folder, name)) : [path.resolve(chosen)]
  for (const file of candidates) {
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs) return success(file)
  }
  const said = chosen === undefined ? 'run `npm run setup`' : 'SIGNUM_WORKER names it'
  return failure('worker_missing', `The worker program ${candidates[0]} is not there or not executable: ${said}.`)
}
