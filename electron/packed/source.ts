import type { Tensor } from './header.ts'
import type { Layout } from './layout.ts'

/** Where packed tensors come from: one shard, a whole folder, or memory. */
export interface TensorSource {
  /** For sentences: the path of the file or folder. */
  readonly path: string
  /** Quantized linears: `P` -> its layout. */
  readonly linears: ReadonlyMap<string, Layout>
  /** Packed tables: module -> its layout. None where nothing is said. */
  readonly tables?: ReadonlyMap<string, Layout>
  readonly tensors: ReadonlyMap<string, Pick<Tensor, 'dtype' | 'shape' | 'bytes'>>
  /** Bytes `begin` to `end` (exclusive) of one tensor; without a range, all of it. */
  read(tensor: string, begin?: number, end?: number): Promise<Uint8Array>
}
