import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSafetensors } from './safetensors.ts'
import { testFolder } from './testing/folder.ts'
import { scalars, u16 } from './testing/pack.ts'
import { fileBytes, safetensorsBytes, tensor } from './testing/write.ts'

async function open(bytes: Uint8Array) {
  const path = join(await testFolder(), 'model.safetensors')
  await writeFile(path, bytes)
  return openSafetensors(path)
}

const tensors = {
  a: tensor('F32', [2, 1], scalars('f32', 1, 2)),
  empty: tensor('U8', [3, 0], new Uint8Array()),
  b: tensor('U16', [3], u16(1, 2, 3)),
}

test('tensors, metadata and bytes of a file', async () => {
  const file = await open(safetensorsBytes(tensors, { key: 'value' }))
  expect([...file.tensors.keys()]).toEqual(['a', 'empty', 'b'])
  expect(file.tensors.get('b')).toEqual({ dtype: 'U16', shape: [3], begin: 8, bytes: 6 })
  expect([...file.metadata]).toEqual([['key', 'value']])
  expect(await file.read('b')).toEqual(u16(1, 2, 3))
  expect(await file.read('b', 2, 4)).toEqual(u16(2))
  expect(await file.read('empty')).toEqual(new Uint8Array())
  await expect(file.read('b', 2, 8)).rejects.toThrow(RangeError)
  await expect(file.read('c')).rejects.toMatchObject({ code: 'tensor_missing' })
  await file.close()
})

const entry = (dtype: string, shape: unknown, begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})
const withHeader = (header: unknown) => safetensorsBytes({ x: tensor('U8', [8], new Uint8Array(8)) }, {}, header)

test.each<[string, Uint8Array, string]>([
  ['no bytes', new Uint8Array(), 'shorter than a header length'],
  ['length beyond the file', fileBytes('{}').subarray(0, 9), 'header length'],
  ['length of 2^63', Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 128, 123, 125]), 'header length'],
  ['text that is not UTF-8', Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 255]), 'not UTF-8'],
  ['text that is not JSON', fileBytes('{'), 'not JSON'],
  ['an array', fileBytes('[]'), 'not valid'],
  ['no shape', withHeader({ x: { dtype: 'U8', data_offsets: [0, 8] } }), 'at shape'],
  ['a negative shape', withHeader({ x: entry('U8', [-8], 0, 8) }), 'at shape > 0'],
  ['an unknown dtype', withHeader({ x: entry('U7', [8], 0, 8) }), 'unknown dtype U7'],
  ['a name of Object as dtype', withHeader({ x: entry('toString', [8], 0, 8) }), 'unknown dtype toString'],
  ['a shape that does not fit', withHeader({ x: entry('U16', [8], 0, 8) }), 'takes 8 bytes and U16 [8] needs 16'],
  ['a shape beyond all files', withHeader({ x: entry('U8', [2 ** 40, 2 ** 40], 0, 8) }), 'too large'],
  ['an end before the begin', withHeader({ x: entry('U8', [8], 8, 0) }), 'before its begin'],
  ['an overlap', withHeader({ x: entry('U8', [6], 0, 6), y: entry('U8', [4], 4, 8) }), 'overlaps'],
  ['a gap', withHeader({ x: entry('U8', [3], 0, 3), y: entry('U8', [4], 4, 8) }), 'gap of 1'],
  ['bytes left over', withHeader({ x: entry('U8', [7], 0, 7) }), 'describes 7 bytes and the file has 8'],
  ['bytes missing', withHeader({ x: entry('U8', [9], 0, 9) }), 'describes 9 bytes and the file has 8'],
  ['metadata that is not text', withHeader({ __metadata__: { n: 1 }, x: entry('U8', [8], 0, 8) }), '__metadata__'],
])('%s', async (_, bytes, sentence) => {
  const error = await open(bytes).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'shard_broken' })
  expect(error).toHaveProperty('message', expect.stringContaining(sentence))
})

test('no file', async () => {
  const path = join(await testFolder(), 'none.safetensors')
  await expect(openSafetensors(path)).rejects.toMatchObject({ code: 'shard_missing', message: `${path} is not there.` })
})

test('a folder', async () => {
  await expect(openSafetensors(await testFolder())).rejects.toMatchObject({ code: 'read_failed' })
})

test('a file that shrinks after it was opened', async () => {
  const file = await open(safetensorsBytes(tensors, {}))
  await truncate(file.path, file.size - 1)
  await expect(file.read('b')).rejects.toMatchObject({ code: 'shard_broken' })
  expect(await file.read('a')).toEqual(scalars('f32', 1, 2))
  await file.close()
})
