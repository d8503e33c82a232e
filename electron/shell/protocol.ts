// signum://app: the window's own files, and under /pictures/ the bytes of pictures. Nobody else may ask.
import { readFile } from 'node:fs/promises'
import { session } from 'electron'
import { windowOrigin, windowScheme } from '../contract/channels.ts'
import { sampledHeader } from '../contract/pictures.ts'
import type { Workbench } from '../workbench.ts'
import { assetOf, securityHeaders } from './assets.ts'
import { readRange } from './range.ts'

/** `folder`: the built window. */
export function serve(folder: string, workbench: Workbench): void {
  session.defaultSession.protocol.handle(windowScheme, async (request) => {
    const { protocol, host, pathname } = new URL(request.url)
    if (`${protocol}//${host}` !== windowOrigin || request.method !== 'GET') return reply(404)
    // A frame of another origin has its own name here; fetches of the window have none or ours.
    const origin = request.headers.get('origin')
    if (origin !== null && origin !== windowOrigin) return reply(403)
    if (pathname.startsWith('/pictures/')) {
      const { status, type, bytes, sampled } = await workbench.pictures.answer(pathname)
      if (status !== 200) return reply(status, bytes, type)
      return ranged(request, bytes, type, sampled === undefined ? {} : { [sampledHeader]: String(sampled) })
    }
    const asset = await assetOf(folder, pathname)
    if (asset === null) return reply(404)
    const bytes = await readFile(asset.file).catch(() => null)
    return bytes === null ? reply(404) : ranged(request, bytes, asset.type)
  })
}

function ranged(request: Request, bytes: Uint8Array, type: string, more: Record<string, string> = {}): Response {
  const range = readRange(request.headers.get('range'), bytes.length)
  if (range === 'outside') return reply(416, undefined, type, { 'content-range': `bytes */${bytes.length}` })
  if (range === null) return reply(200, bytes, type, { 'accept-ranges': 'bytes', ...more })
  const { begin, end } = range
  return reply(206, bytes.subarray(begin, end), type, {
    'content-range': `bytes ${begin}-${end - 1}/${bytes.length}`,
  })
}

function reply(status: number, bytes?: Uint8Array, type = 'text/plain', more: Record<string, string> = {}): Response {
  const body = (bytes ?? new Uint8Array()) as Uint8Array<ArrayBuffer>
  return new Response(body, { status, headers: { ...securityHeaders, 'content-type': type, ...more } })
}
