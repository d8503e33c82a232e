// A thread of its own for pictures: reading, decoding and counting never hold up the process that also serves the window. It is
// the picture book of the program, called by messages; where runs lie, it asks back.
import { parentPort } from 'node:worker_threads'
import type { Result } from '../contract/errors.ts'
import type { FromThread, ToThread } from './messages.ts'
import type { RunPlaces } from './open-run.ts'
import { openPictures } from './pictures.ts'

const port = parentPort
if (port === null) throw new Error('this is the program of a thread')
const waiting = new Map<number, (places: Result<RunPlaces>) => void>()
let asked = 0
const tell = (message: FromThread, moved: ArrayBuffer[] = []) => port.postMessage(message, moved)

const book = openPictures(
  (run) =>
    new Promise((found) => {
      waiting.set(++asked, found)
      tell({ what: 'find', number: asked, run })
    }),
)

port.on('message', (message: ToThread) => {
  if (message.what === 'found') {
    waiting.get(message.number)?.(message.places)
    waiting.delete(message.number)
    return
  }
  const { number, call, args } = message
  const calls = book as unknown as Record<typeof call, (...args: unknown[]) => Promise<unknown>>
  calls[call](...args).then(
    (value) => tell({ what: 'answer', number, value }, bytesIn(value)),
    (error: unknown) => tell({ what: 'failure', number, error }),
  )
})

/** Bytes that are nobody else's move to the program; they are not copied. */
function bytesIn(value: unknown): ArrayBuffer[] {
  const { bytes } = (value ?? {}) as { bytes?: unknown }
  if (!(bytes instanceof Uint8Array) || !(bytes.buffer instanceof ArrayBuffer)) return []
  return bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer] : []
}
