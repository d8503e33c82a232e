// Every call from the window: who asks, and whether the request has the form that the contract gives it.
import type { Ending } from '../contract/api.ts'
import { failure } from '../contract/errors.ts'
import { windowOrigin } from '../contract/channels.ts'
import { windowContract, type WindowContract } from '../contract/window.ts'

/** As much of Electron's frame as matters: where it was loaded from, and whether it is the window's own top frame. */
export type Sender = { url: string; isWindow: boolean }

export type Handlers = { [C in keyof WindowContract]: (request: never) => Promise<Ending<unknown>> }

const refused = (...why: Parameters<typeof failure>): Ending<never> => ({
  kind: 'failed',
  problem: failure(...why).problem,
})

export async function answer(
  handlers: Handlers,
  name: keyof WindowContract,
  sender: Sender,
  request: unknown,
): Promise<Ending<unknown>> {
  if (!trusted(sender)) return refused('sender_refused', `${name} was called by a page that is not Signum's window.`)
  const parsed = windowContract[name].request.safeParse(request)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue?.path.join('.') || 'the request'
    return refused('request_invalid', `${name} was called with ${where} of another form: ${issue?.message}.`)
  }
  try {
    return await (handlers[name] as (request: unknown) => Promise<Ending<unknown>>)(parsed.data)
  } catch (error) {
    return refused('internal', `A bug in Signum, please report it: ${String(error)}`, (error as Error).stack)
  }
}

function trusted({ url, isWindow }: Sender): boolean {
  if (!isWindow || !URL.canParse(url)) return false
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}` === windowOrigin
}
