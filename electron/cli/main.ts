// The process of the command line: its streams, its signals, its exit code.
import { openWorkbench } from '../workbench.ts'
import { createInterface } from 'node:readline'
import { commandLine } from './command-line.ts'
import type { Dialogue } from './command.ts'
import { listen } from './interrupts.ts'
import { ProgressLine } from './progress.ts'

// Who reads only the first lines (`signum models DIR | head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}

const out = (text: string) => void process.stdout.write(text)
const err = (text: string) => void process.stderr.write(text)
const progress = new ProgressLine({
  write: err,
  terminal: process.stderr.isTTY ?? false,
  columns: () => process.stderr.columns || 80,
  now: () => performance.now(),
})
const dialogue: Dialogue = {
  // Lines as the terminal itself edits them: so Ctrl-C stays a signal while an answer comes.
  lines() {
    const typed = createInterface({ input: process.stdin, terminal: false, crlfDelay: Infinity })
    const lines = typed[Symbol.asyncIterator]()
    return {
      next: () => lines.next(),
      // Who listens no longer must not keep the process.
      return() {
        typed.close()
        process.stdin.unref?.()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  },
  interactive: process.stdin.isTTY ?? false,
  onInterrupt(listener) {
    process.on('SIGINT', listener)
    return () => void process.off('SIGINT', listener)
  },
}
let dispose = () => undefined as void
const signals = (stoppable: boolean) => {
  const interrupts = listen((text) => {
    progress.clear()
    err(text)
  }, stoppable)
  dispose = interrupts.dispose
  return interrupts
}

process.exitCode = await commandLine(process.argv.slice(2), {
  workbench: await openWorkbench(),
  terminal: { out, err, progress },
  dialogue,
  signals,
})
dispose()
