// Where the workers' programs are.
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { noCudaWorker } from '../contract/devices.ts'
import { failure, success, type Result } from '../contract/errors.ts'

const suffix = process.platform === 'win32' ? '.exe' : ''
const name = `signum-worker${suffix}`
const cudaName = `signum-worker-cuda${suffix}`

export type Places = {
  /** SIGNUM_WORKER; where it is set, nothing else is tried. */
  chosen: string | undefined
  /** SIGNUM_CUDA_WORKER, likewise; '': there is to be none. */
  chosenCuda?: string | undefined
  /** Folders to look in: a checkout's build, a packaged program's resources. */
  folders: readonly string[]
}

export const usualPlaces = (root: string): Places => ({
  chosen: process.env['SIGNUM_WORKER'],
  chosenCuda: process.env['SIGNUM_CUDA_WORKER'],
  folders: [path.join(root, 'build', 'release'), path.join(root, 'resources', 'worker')],
})

export async function findWorker({ chosen, folders }: Places): Promise<Result<string>> {
  const candidates = chosen === undefined ? folders.map((folder) => path.join(folder, name)) : [path.resolve(chosen)]
  const found = await firstThatRuns(candidates)
  if (found !== null) return success(found)
  const said = chosen === undefined ? 'run `npm run setup`' : 'SIGNUM_WORKER names it'
  return failure('worker_missing', `The worker program ${candidates[0]} is not there or not executable: ${said}.`)
}

/** The worker that computes on cards. A build without one is in order: the processor does everything. */
export async function findCudaWorker({ chosenCuda: chosen, folders }: Places): Promise<Result<string>> {
  if (chosen === '') return failure('worker_missing', noCudaWorker)
  const candidates =
    chosen === undefined ? folders.map((folder) => path.join(folder, cudaName)) : [path.resolve(chosen)]
  const found = await firstThatRuns(candidates)
  if (found !== null) return success(found)
  if (chosen === undefined) return failure('worker_missing', noCudaWorker)
  return failure(
    'worker_missing',
    `The worker program ${candidates[0]} is not there or not executable: SIGNUM_CUDA_WORKER names it.`,
  )
}

async function firstThatRuns(files: readonly string[]): Promise<string | null> {
  for (const file of files) {
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs) return file
  }
  return null
}
