// The picture book as the program holds it: its work is done by a thread (thread.ts), which is started when first asked.
import { Worker } from 'node:worker_threads'
import type { BookCall, FromThread, ToThread } from './messages.ts'
import type { FindRun } from './open-run.ts'
import type { PictureBook } from './pictures.ts'

type Waiting = { resolve: (value: never) => void; reject: (error: unknown) => void }
type Thread = { worker: Worker; waiting: Map<number, Waiting> }

/** `file`: thread.ts, as it was built. A thread that ends unasked fails what it was asked; the next call starts another. */
export function openThreadedPictures(file: string, find: FindRun): PictureBook {
  let thread: Thread | null = null
  let asked = 0

  const start = (): Thread => {
    const started = new Worker(file)
    const waiting: Thread['waiting'] = new Map()
    const say = (message: ToThread) => started.postMessage(message)
    const lost = (error: unknown) => {
      if (thread?.worker === started) thread = null
      for (const one of waiting.values()) one.reject(error)
      waiting.clear()
    }
    started.on('message', (message: FromThread) => {
      if (message.what === 'find') {
        void find(message.run).then((places) => say({ what: 'found', number: message.number, places }))
        return
      }
      const one = waiting.get(message.number)
      waiting.delete(message.number)
      if (message.what === 'answer') one?.resolve(message.value as never)
      else one?.reject(message.error)
    })
    started.on('error', lost)
    started.on('exit', () => lost(new Error('the thread that makes pictures ended')))
    // The program may end though the thread waits for more to do.
    started.unref()
    return { worker: started, waiting }
  }
  const call =
    <C extends BookCall>(name: C) =>
    (...args: Parameters<PictureBook[C]>): ReturnType<PictureBook[C]> => {
      const { worker, waiting } = (thread ??= start())
      const number = ++asked
      const answer = new Promise((resolve, reject) => waiting.set(number, { resolve, reject }))
      worker.postMessage({ what: 'call', number, call: name, args } satisfies ToThread)
      return answer as ReturnType<PictureBook[C]>
    }
  return {
    list: call('list'),
    linear: call('linear'),
    scale: call('scale'),
    edges: call('edges'),
    difference: call('difference'),
    answer: call('answer'),
    async forget(run) {
      if (thread) await call('forget')(run)
    },
    async close() {
      if (thread === null) return
      await call('close')()
      const ended = thread
      thread = null
      await ended.worker.terminate()
    },
  }
}
