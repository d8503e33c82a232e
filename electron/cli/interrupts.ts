// Ctrl-C: once asks the worker to finish the layer in hand, twice cancels it, a third time leaves at once.
import { exitCodes } from '../contract/errors.ts'

export type Interrupts = { stop: AbortSignal; cancel: AbortSignal; dispose: () => void }

/** `say`: where the person is told what the key did. `stoppable`: whether the command has layers to stop after. */
export function listen(say: (text: string) => void, stoppable: boolean): Interrupts {
  const [stop, cancel] = [new AbortController(), new AbortController()]
  const onInterrupt = () => {
    if (cancel.signal.aborted) process.exit(exitCodes.interrupted)
    if (stoppable && !stop.signal.aborted) {
      say('Stopping after the layer in hand; Ctrl-C again cancels.\n')
      return stop.abort()
    }
    say('Cancelling.\n')
    cancel.abort()
  }
  const onEnd = () => cancel.abort()
  process.on('SIGINT', onInterrupt).on('SIGTERM', onEnd).on('SIGHUP', onEnd)
  const dispose = () => void process.off('SIGINT', onInterrupt).off('SIGTERM', onEnd).off('SIGHUP', onEnd)
  return { stop: stop.signal, cancel: cancel.signal, dispose }
}
