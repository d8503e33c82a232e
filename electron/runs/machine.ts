// What this machine has left.
import { statfs } from 'node:fs/promises'
import path from 'node:path'
import type { Machine } from './context.ts'

export const thisMachine: Machine = {
  // What the page cache would give back counts; a limit set for this process (a container's) does too.
  availableMemory: () => Promise.resolve(process.availableMemory()),

  async freeDisk(folder) {
    // The folder may not be there yet: its nearest parent lies on the same disk.
    for (let at = path.resolve(folder); ; at = path.dirname(at)) {
      const disk = await statfs(at).catch(() => null)
      if (disk !== null) return disk.bavail * disk.bsize
      if (at === path.dirname(at)) return 0
    }
  },
}
