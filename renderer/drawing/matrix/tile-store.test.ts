import { expect, test } from 'vitest'
import { TileStore } from './tile-store.ts'

type Asked = {
  path: string
  signal: AbortSignal
  answer: (bytes: ArrayBuffer, sampled?: number) => void
  refuse: (why: unknown) => void
}

function store(limit?: number) {
  const asked: Asked[] = []
  const tiles = new TileStore(
    (path, signal) =>
      new Promise((answer, refuse) => {
        asked.push({ path, signal, answer: (bytes, sampled) => answer({ bytes, sampled: sampled ?? null }), refuse })
        signal.addEventListener('abort', () => refuse(new Error('given up')))
      }),
    limit,
  )
  const open = () => asked.filter(({ signal }) => !signal.aborted).map(({ path }) => path)
  return { tiles, asked, open, of: (path: string) => asked.findLast((one) => one.path === path)! }
}
const signs = (...paths: string[]) => paths.map((path) => ({ path, encoding: 'share' as const, coarse: false }))
const settled = () => new Promise((done) => setTimeout(done))

test('the most urgent first, a few at once, the others as these come', async () => {
  const { tiles, open, of } = store()
  const viewer = {}
  tiles.want(viewer, signs('a', 'b', 'c', 'd', 'e', 'f', 'g'))
  expect(open()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  of('c').answer(new Uint8Array([1, 2]).buffer)
  await settled()
  expect(open()).toContain('g')
  expect(tiles.get('c')).toEqual(new Uint8Array([1, 2]))
  expect(tiles.get('a')).toBe(null)
})

test('two viewers take turns, and one tile is asked for once', () => {
  const { tiles, open } = store()
  tiles.want({}, signs('a', 'b', 'c'))
  tiles.want({}, signs('x', 'a'))
  expect(open()).toEqual(['a', 'b', 'c', 'x'])
})

test('what nobody wants any more is given up, and can be asked for again', async () => {
  const { tiles, asked, open } = store()
  const viewer = {}
  tiles.want(viewer, signs('a', 'b'))
  tiles.want(viewer, signs('b', 'c'))
  await settled()
  expect(asked[0]!.signal.aborted).toBe(true)
  expect(tiles.problem('a')).toBe(null)
  tiles.want(viewer, signs('a'))
  expect(open()).toEqual(['a'])
  tiles.want(viewer, [])
  expect(open()).toEqual([])
})

test('values are floats', async () => {
  const { tiles, of } = store()
  tiles.want({}, [{ path: 'a', encoding: 'value', coarse: false }])
  of('a').answer(Float32Array.of(1.5, -2).buffer)
  await settled()
  expect(tiles.get('a')).toEqual(Float32Array.of(1.5, -2))
})

test('a problem is kept, and asked for again only when told to', async () => {
  const { tiles, asked, of } = store()
  let heard = 0
  const quiet = tiles.listen(() => (heard += 1))
  const viewer = {}
  tiles.want(viewer, signs('a', 'b'))
  of('a').refuse({ code: 'shard_missing', message: 'It is gone.' })
  of('b').refuse(new Error('net'))
  await settled()
  expect(tiles.problem('a')).toEqual({ code: 'shard_missing', message: 'It is gone.' })
  expect(tiles.problem('b')?.code).toBe('internal')
  expect(heard).toBe(2)
  tiles.want(viewer, signs('a', 'b'))
  expect(asked).toHaveLength(2)
  quiet()
  tiles.retry()
  expect(asked).toHaveLength(4)
  expect(tiles.problem('a')).toBe(null)
})

test('what was used least lately makes room', async () => {
  const { tiles, of } = store(10)
  const bring = async (path: string) => {
    tiles.want({}, signs(path))
    of(path).answer(new ArrayBuffer(4))
    await settled()
  }
  await bring('a')
  await bring('b')
  tiles.get('a')
  await bring('c')
  expect(['a', 'b', 'c'].map((path) => tiles.has(path))).toEqual([true, false, true])
})

test('a sample is shown first, and the exact tile is asked for once nothing else is missing', async () => {
  const { tiles, open, of } = store()
  const viewer = {}
  tiles.want(viewer, [
    { path: 'a', encoding: 'share', coarse: true },
    { path: 'b', encoding: 'share', coarse: true },
  ])
  expect(open()).toEqual(['a/now', 'b/now'])
  of('a/now').answer(Uint8Array.of(1).buffer, 0.25)
  await settled()
  expect([tiles.sampled('a'), tiles.sampled('b')]).toEqual([0.25, null])
  expect(open()).toEqual(['a/now', 'b/now', 'a'])
  of('b/now').answer(Uint8Array.of(2).buffer)
  of('a').answer(Uint8Array.of(3).buffer)
  await settled()
  expect(tiles.get('a')).toEqual(Uint8Array.of(3))
  expect([tiles.sampled('a'), tiles.sampled('b')]).toEqual([null, null])
  expect(open()).toHaveLength(3)
})

test('bits are words', async () => {
  const { tiles, of } = store()
  tiles.want({}, [{ path: 'a', encoding: 'packed', coarse: false }])
  of('a').answer(Uint32Array.of(7, 8).buffer)
  await settled()
  expect(tiles.get('a')).toEqual(Uint32Array.of(7, 8))
})
