// Texts for the window: each by its id, told of in batches, and stopped by its id.
import type { Ending } from '../contract/api.ts'
import type { TextAnswer, TextNews, TextPiece } from '../contract/generation.ts'
import type { WindowContract, WindowEvent } from '../contract/window.ts'
import type { z } from 'zod'
import type { Workbench } from '../workbench.ts'

type Requests = { [C in 'startText' | 'stopText']: z.output<WindowContract[C]['request']> }

/** Milliseconds between two messages about one text: a screen shows no more. */
const pause = 30

export function textCalls({ generate }: Pick<Workbench, 'generate'>, tell: (event: WindowEvent) => void) {
  const stops = new Map<number, AbortController>()
  return {
    async startText({ id, ...request }: Requests['startText']): Promise<Ending<TextAnswer>> {
      const stop = new AbortController()
      stops.get(id)?.abort()
      stops.set(id, stop)
      const batches = batched((news) => tell({ kind: 'text', id, news }))
      try {
        return await generate(request, { cancel: stop.signal, onText: batches.take })
      } finally {
        batches.end()
        if (stops.get(id) === stop) stops.delete(id)
      }
    },
    stopText({ id }: Requests['stopText']): Promise<Ending<null>> {
      stops.get(id)?.abort()
      return Promise.resolve({ kind: 'finished', value: null })
    },
  }
}

/** The first piece at once, the others a few together. */
export function batched(tell: (news: TextNews) => void) {
  let waiting: TextPiece[] = []
  let timer: NodeJS.Timeout | null = null
  const send = () => {
    timer = null
    if (waiting.length === 0) return
    tell({ kind: 'pieces', pieces: waiting })
    waiting = []
    timer = setTimeout(send, pause)
  }
  return {
    take: (news: TextNews): void => {
      if (news.kind !== 'pieces') return tell(news)
      waiting.push(...news.pieces)
      if (timer === null) send()
    },
    end: (): void => {
      if (timer !== null) clearTimeout(timer)
      send()
      if (timer !== null) clearTimeout(timer)
    },
  }
}
