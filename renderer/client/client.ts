// The typed side of the bridge: every call of the contract, every event.
import type { Ending } from '../../electron/contract/api.ts'
import type { Problem } from '../../electron/contract/errors.ts'
import type { WindowAnswer, WindowContract, WindowEvent, WindowRequest } from '../../electron/contract/window.ts'

export type Bridge = {
  call: (name: string, request: unknown) => Promise<unknown>
  on: (listener: (event: unknown) => void) => () => void
  pathOf: (file: File) => string
}

declare global {
  interface Window {
    signum: Bridge
  }
}

export type Answered<C extends keyof WindowContract> = Ending<WindowAnswer<C>>

/** Never throws: what goes wrong comes back as `failed`. */
export async function call<C extends keyof WindowContract>(name: C, request: WindowRequest<C>): Promise<Answered<C>> {
  try {
    return (await window.signum.call(name, request)) as Answered<C>
  } catch (error) {
    return {
      kind: 'failed',
      problem: { code: 'internal', message: `A bug in Signum, please report it: ${String(error)}` },
    }
  }
}

export type Outcome<T> = { value: T; problem: null } | { value: null; problem: Problem }

/** The same for those who only want to know the answer or what went wrong. */
export async function ask<C extends keyof WindowContract>(
  name: C,
  request: WindowRequest<C>,
): Promise<Outcome<WindowAnswer<C>>> {
  const ending = await call(name, request)
  if (ending.kind === 'finished') return { value: ending.value, problem: null }
  if (ending.kind === 'failed') return { value: null, problem: ending.problem }
  return { value: null, problem: { code: ending.kind, message: `This was ${ending.kind}.` } }
}

export const listen = (listener: (event: WindowEvent) => void): (() => void) =>
  window.signum.on((event) => listener(event as WindowEvent))

export const pathOf = (file: File): string => window.signum.pathOf(file)
