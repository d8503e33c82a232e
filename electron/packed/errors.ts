/** What can be wrong with a packed folder or one of its files. The codes are those of docs/PROTOCOL.md. */
export type PackedCode = 'shard_missing' | 'shard_broken' | 'packed_broken' | 'tensor_missing' | 'read_failed'

/** A stable code and one sentence for a person. */
export class PackedError extends Error {
  override readonly name = 'PackedError'
  readonly code: PackedCode

  constructor(code: PackedCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.code = code
  }
}

/** The error for a call of node:fs that failed on `path`. */
export function fileError(path: string, cause: unknown): PackedError {
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  if (missing) return new PackedError('shard_missing', `${path} is not there.`, { cause })
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new PackedError('read_failed', `${path} could not be read: ${reason}.`, { cause })
}
