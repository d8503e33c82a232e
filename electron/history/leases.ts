// Leases: who works on a run, and on which device. A lease is over when its owner is provably gone, or gave no sign of life
// for `leaseTime`; only then may anybody else touch the run.
import { z } from 'zod'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Connection } from './connection.ts'
import type { Clock, Processes } from './owner.ts'
import { all, one } from './rows.ts'

/** Milliseconds without a heartbeat; they come every `heartbeatTime`. */
export const leaseTime = 30_000
export const heartbeatTime = 5_000

const leaseSchema = z.object({
  run_id: z.int(),
  device: z.string().nullable(),
  owner: z.string(),
  pid: z.int(),
  boot_id: z.string(),
  process_start: z.string().nullable(),
  heartbeat_at: z.int(),
  heartbeat_uptime: z.int().nullable(),
})
export type Lease = z.infer<typeof leaseSchema>

export function leaseQueries(db: Connection, clock: Clock, processes: Processes) {
  const { self } = processes
  const list = db.prepare('SELECT * FROM leases ORDER BY run_id')
  const ofRun = db.prepare('SELECT * FROM leases WHERE run_id = ?')
  const onDevice = db.prepare('SELECT * FROM leases WHERE device = ?')
  const add = db.prepare(`
    INSERT INTO leases (run_id, device, owner, pid, boot_id, process_start, heartbeat_at, heartbeat_uptime)
    VALUES (@run, @device, @owner, @pid, @boot_id, @process_start, @now, @uptime)`)
  const renew = db.prepare(`
    UPDATE leases SET heartbeat_at = @now, heartbeat_uptime = @uptime WHERE run_id = @run AND owner = @owner`)
  const release = db.prepare('DELETE FROM leases WHERE run_id = @run AND owner = @owner')
  const drop = db.prepare('DELETE FROM leases WHERE run_id = ?')
  const interrupt = db.prepare(`
    UPDATE runs SET status = 'interrupted', finished_at = @at WHERE id = @run AND status = 'running'`)
  const times = () => ({ now: clock.now(), uptime: clock.uptime() })

  function over(lease: Lease): boolean {
    const state = processes.state(lease)
    if (state === 'gone') return true
    const { now, uptime } = times()
    if (lease.boot_id === self.boot_id && uptime !== null && lease.heartbeat_uptime !== null) {
      return uptime - lease.heartbeat_uptime > leaseTime
    }
    // Clocks of walls can be set: a heartbeat from the future is no sign of life either.
    return Math.abs(now - lease.heartbeat_at) > leaseTime
  }

  return {
    list: () => all(leaseSchema, list.all()),
    ofRun: (run: number) => one(leaseSchema, ofRun.get(run)),
    onDevice: (device: string) => one(leaseSchema, onDevice.get(device)),
    /** To be called inside a transaction that writes. A null device holds the run alone. */
    acquire(run: number, device: string | null): Result<null> {
      this.sweep()
      const held = this.ofRun(run)
      if (held) return failure('run_busy', `Run ${run} is in the hands of process ${held.pid}.`)
      const busy = device === null ? null : this.onDevice(device)
      if (busy) {
        return failure('device_busy', `Run ${busy.run_id} is at work on ${device}, in process ${busy.pid}.`)
      }
      add.run({ run, device, ...self, ...times() })
      return success(null)
    },
    /** False: the run was taken for lost, and may be in other hands. */
    renew: (run: number): boolean => renew.run({ run, owner: self.owner, ...times() }).changes > 0,
    holds: (run: number): boolean => one(leaseSchema, ofRun.get(run))?.owner === self.owner,
    release: (run: number) => void release.run({ run, owner: self.owner }),
    /** Ends the leases that are over; their runs are interrupted from then on. To be called inside a transaction that writes. */
    sweep(): number[] {
      const ended = all(leaseSchema, list.all()).filter(over)
      for (const { run_id: run, heartbeat_at: at } of ended) {
        interrupt.run({ run, at })
        drop.run(run)
      }
      return ended.map(({ run_id }) => run_id)
    },
  }
}
