// Where the bytes of a packed folder's files go.
import type { FileBytes } from '../contract/records.ts'
import { orderOf } from './layout.ts'
import { openPackedModel, type PackedModel } from './model.ts'
import { rolesOf } from './roles.ts'

const parts: Record<string, keyof FileBytes> = {
  code: 'codes',
  sign: 'signs',
  sign2: 'second',
  sign3: 'second',
  plane2: 'second',
  plane3: 'second',
  salient: 'bitmaps',
  group2: 'bitmaps',
  salient_count: 'bitmaps',
  mask: 'bitmaps',
  mask_low: 'bitmaps',
  mask_high: 'bitmaps',
}
/** Scales, means and zeros. */
const otherRoles = 'scales'

export async function fileBytes(folder: string): Promise<FileBytes> {
  const model = await openPackedModel(folder)
  try {
    return breakDown(model)
  } finally {
    await model.close()
  }
}

export function breakDown(model: Pick<PackedModel, 'linears' | 'tensors' | 'shards'>): FileBytes {
  const sizes: FileBytes = {
    codes: 0,
    signs: 0,
    second: 0,
    bitmaps: 0,
    scales: 0,
    order: 0,
    embeddings: 0,
    rest: 0,
    headers: 0,
  }
  const purpose = new Map<string, keyof FileBytes>()
  for (const [linear, layout] of model.linears) {
    for (const { role } of rolesOf(layout)) purpose.set(`${linear}.${role}`, parts[role] ?? otherRoles)
    const order = orderOf(layout)
    if (order !== undefined) purpose.set(order, 'order')
  }
  let inTensors = 0
  for (const [name, { bytes }] of model.tensors) {
    sizes[purpose.get(name) ?? (/embed|lm_head/.test(name) ? 'embeddings' : 'rest')] += bytes
    inTensors += bytes
  }
  let inFiles = 0
  for (const { file } of model.shards.values()) inFiles += file.size
  sizes.headers = inFiles - inTensors
  return sizes
}
