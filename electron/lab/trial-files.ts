// Where trials lie until they are looked at no more: a folder of this process, with one folder for each trial.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

const prefix = 'signum-lab-'

/** Made after those of processes that have ended were removed. */
export async function makeTrialFolder(parent = tmpdir()): Promise<string> {
  const names = await readdir(parent).catch(() => [])
  for (const name of names) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
    if (owner !== undefined && !alive(Number(owner))) {
      await rm(path.join(parent, name), { recursive: true, force: true }).catch(() => undefined)
    }
  }
  return mkdtemp(path.join(parent, `${prefix}${process.pid}-`))
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process may not be signalled, and lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
