// Who owns a lease: a process, told from every other one that had or will have its number.
import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export type Owner = {
  pid: number
  /** The start of the machine, and on Linux the space that process numbers are counted in; elsewhere the machine's name. */
  boot_id: string
  /** On Linux, in ticks since the machine started. */
  process_start: string | null
}

export type Processes = {
  self: Owner & { owner: string }
  /** `unknown`: of another machine, another start of it, or another container. */
  state: (owner: Owner) => 'alive' | 'gone' | 'unknown'
}

export type Clock = {
  now: () => number
  /** Milliseconds since the machine started, without those it slept; null where there is no such clock. */
  uptime: () => number | null
}

const linux = process.platform === 'linux'

export const thisClock: Clock = {
  now: () => Date.now(),
  // CLOCK_MONOTONIC there: the same for every process of one start, stands still during sleep, and nobody can set it.
  uptime: () => (linux ? Math.round(Number(process.hrtime.bigint() / 1_000_000n)) : null),
}

/** `owner` tells two openings of the history in one process apart. */
export function theseProcesses(): Processes {
  const self = { ...identity(), owner: randomUUID() }
  return {
    self,
    state(owner) {
      if (owner.boot_id !== self.boot_id) return 'unknown'
      if (!linux) return answersSignals(owner.pid) ? 'unknown' : 'gone'
      if (owner.process_start === null) return 'unknown'
      return processStart(owner.pid) === owner.process_start ? 'alive' : 'gone'
    },
  }
}

function identity(): Owner {
  const pid = process.pid
  try {
    if (!linux) throw new Error('no /proc')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return { pid, boot_id: `${boot} ${readlinkSync('/proc/self/ns/pid')}`, process_start: processStart(pid) }
  } catch {
    return { pid, boot_id: hostname(), process_start: null }
  }
}

/** Null when there is no such process, or only what its parent has not yet asked about. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything; the state is the field after it, the start 19 further on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
