// One line of the worker's standard output to one event. Nothing a worker prints can bring the program down: what is not
// understood becomes a warning.
import type { Note } from '../contract/records.ts'
import { eventNames, workerEventSchema, type WorkerEvent } from '../contract/worker.ts'

export type ParsedLine = { event: WorkerEvent } | { warning: Note } | null

/** Null for an empty line. */
export function parseLine(line: string): ParsedLine {
  if (line.trim() === '') return null
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return warning('line_broken', `The worker printed a line that is not JSON: ${excerpt(line)}`)
  }
  const parsed = workerEventSchema.safeParse(json)
  if (parsed.success) return { event: parsed.data }
  const name = typeof json === 'object' && json !== null && 'event' in json ? json.event : undefined
  if (typeof name === 'string' && !eventNames.includes(name)) {
    return warning('event_unknown', `The worker reported '${excerpt(name)}', which this version does not know.`)
  }
  const issue = parsed.error.issues[0]
  const where = issue ? ` (${issue.path.join('.') || 'line'}: ${issue.message})` : ''
  return warning('line_broken', `The worker printed a line of another form${where}: ${excerpt(line)}`)
}

/** A gap in the numbers of consecutive events, in one sentence; null when there is none. */
export function gap(expected: number, event: WorkerEvent): Note | null {
  if (event.seq === expected) return null
  return { code: 'events_missing', message: `The worker's events jump from ${expected - 1} to ${event.seq}.` }
}

const warning = (code: string, message: string): ParsedLine => ({ warning: { code, message } })
const excerpt = (text: string) => (text.length > 120 ? `${text.slice(0, 120)}...` : text)
