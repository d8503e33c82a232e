// Whether two packed folders are the same model, by the hashes of their tensors: headers are read, weights are not.
import { createHash } from 'node:crypto'
import { openPackedModel, type PackedModel } from '../packed/model.ts'

/** SHA-256 over name and sha256 of every tensor, sorted by name. */
export function identityOf(model: Pick<PackedModel, 'shards'>): string {
  const hashes = [...model.shards.values()].flatMap(({ metadata }) => [...metadata.sha256])
  const hash = createHash('sha256')
  for (const [name, sha256] of hashes.toSorted(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${name} ${sha256}\n`)
  return hash.digest('hex')
}

/** Null where there is no packed model (any more). */
export async function identityIn(folder: string): Promise<string | null> {
  const model = await openPackedModel(folder).catch(() => null)
  if (model === null) return null
  try {
    return identityOf(model)
  } finally {
    await model.close()
  }
}
