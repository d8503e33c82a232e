// Bytes of pictures, from the program around the window: the same origin, no bridge in between.
import { sampledHeader } from '../../electron/contract/pictures.ts'
import { TileStore } from '../drawing/matrix/tile-store.ts'

export async function getPicture(path: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, { signal })
  if (response.ok) return response
  throw await response.json().catch(() => ({ code: 'internal', message: `${path} was answered ${response.status}.` }))
}

/** For all viewers of the window. */
export const tiles = new TileStore(async (path, signal) => {
  const response = await getPicture(path, signal)
  const sampled = response.headers.get(sampledHeader)
  return { bytes: await response.arrayBuffer(), sampled: sampled === null ? null : Number(sampled) }
})
