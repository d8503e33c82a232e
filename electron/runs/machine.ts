// What this machine has left.
import { readFile, statfs } from 'node:fs/promises'
import { freemem } from 'node:os'
import path from 'node:path'
import type { Machine } from './context.ts'

export const thisMachine: Machine = {
  async availableMemory() {
    // freemem() leaves out what the page cache would give back.
    const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
    const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1]
    return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024
  },

  async freeDisk(folder) {
    // The folder may not be there yet: its nearest parent lies on the same disk.
    for (let at = path.resolve(folder); ; at = path.dirname(at)) {
      const disk = await statfs(at).catch(() => null)
      if (disk !== null) return disk.bavail * disk.bsize
      if (at === path.dirname(at)) return 0
    }
  },
}
