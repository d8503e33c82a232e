// Reads safetensors files piece by piece: a shard can be larger than memory, so nothing but the header is read at once.
import { open, type FileHandle } from 'node:fs/promises'
import { fileError, PackedError } from './errors.ts'
import { parseHeader, type Tensor } from './header.ts'

/** The format's own limit, so that a lying length does not ask for gigabytes. */
const longestHeader = 100_000_000
const lengthBytes = 8
/** One read call of the system moves less than 2 GiB. */
const largestRead = 2 ** 30

export interface SafetensorsFile {
  readonly path: string
  /** Bytes of the whole file. */
  readonly size: number
  /** Bytes of the JSON text, its padding included. */
  readonly headerBytes: number
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: ReadonlyMap<string, string>
  /** Bytes `begin` to `end` (exclusive) of one tensor, counted from its first byte; without a range, all of it. */
  read(tensor: string, begin?: number, end?: number): Promise<Uint8Array>
  close(): Promise<void>
}

export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw fileError(path, cause)
  })
  try {
    return await readHeader(path, handle)
  } catch (error) {
    await handle.close()
    throw error instanceof PackedError ? error : fileError(path, error)
  }
}

async function readHeader(path: string, handle: FileHandle): Promise<SafetensorsFile> {
  const { size } = await handle.stat()
  if (size < lengthBytes) throw new PackedError('shard_broken', `${path} is shorter than a header length (8 bytes).`)
  const start = await readExactly(path, handle, 0, lengthBytes)
  const length = new DataView(start.buffer).getBigUint64(0, true)
  if (length > BigInt(Math.min(size - lengthBytes, longestHeader))) {
    throw new PackedError('shard_broken', `The header length of ${path} is ${length} and the file has ${size} bytes.`)
  }
  const headerBytes = Number(length)
  const dataStart = lengthBytes + headerBytes
  const text = utf8(await readExactly(path, handle, lengthBytes, headerBytes), path)
  const { tensors, metadata } = parseHeader(text, size - dataStart, path)

  return {
    path,
    size,
    headerBytes,
    tensors,
    metadata,
    async read(name, begin = 0, end) {
      const tensor = tensors.get(name)
      if (!tensor) throw new PackedError('tensor_missing', `There is no tensor ${name} in ${path}.`)
      const last = end ?? tensor.bytes
      if (begin < 0 || last < begin || last > tensor.bytes) {
        throw new RangeError(`bytes ${begin} to ${last} of a tensor of ${tensor.bytes}`)
      }
      return readExactly(path, handle, dataStart + tensor.begin + begin, last - begin)
    },
    close: () => handle.close(),
  }
}

/** A file that became shorter since it was opened is broken; it must never give bytes that nobody wrote. */
async function readExactly(
  path: string,
  handle: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle
      .read(bytes, done, Math.min(length - done, largestRead), position + done)
      .catch((cause: unknown) => {
        throw fileError(path, cause)
      })
    if (bytesRead === 0) throw new PackedError('shard_broken', `${path} ends before byte ${position + length}.`)
    done += bytesRead
  }
  return bytes
}

function utf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new PackedError('shard_broken', `The header of ${path} is not UTF-8 text.`, { cause })
  }
}
