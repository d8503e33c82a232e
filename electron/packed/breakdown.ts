// Where the bytes of a packed folder's files go.
import type { FileBytes, LinearBytes } from '../contract/records.ts'
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

export const fileBytes = (folder: string): Promise<FileBytes> => opened(folder, breakDown)
export const linearBytes = (folder: string): Promise<LinearBytes> => opened(folder, breakDownLinears)

async function opened<T>(folder: string, read: (model: PackedModel) => T): Promise<T> {
  const model = await openPackedModel(folder)
  try {
    return read(model)
  } finally {
    await model.close()
  }
}

type Measured = Pick<PackedModel, 'linears' | 'tensors' | 'shards'>
const isTable = (tensor: string) => /embed|lm_head/.test(tensor)

export function breakDown(model: Measured): FileBytes {
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
    sizes[purpose.get(name) ?? (isTable(name) ? 'embeddings' : 'rest')] += bytes
    inTensors += bytes
  }
  let inFiles = 0
  for (const { file } of model.shards.values()) inFiles += file.size
  sizes.headers = inFiles - inTensors
  return sizes
}

/** The same sum, cut by linear; what is no linear's, by decoder layer. */
export function breakDownLinears(model: Measured): LinearBytes {
  const whole: LinearBytes = {
    linears: [],
    layers: [],
    embeddings: 0,
    rest: 0,
    headers: breakDown(model).headers,
  }
  const bytesOf = (tensor: string) => model.tensors.get(tensor)?.bytes ?? 0
  const sharers = new Map<string, number>()
  for (const layout of model.linears.values()) {
    const order = orderOf(layout)
    if (order !== undefined) sharers.set(order, (sharers.get(order) ?? 0) + 1)
  }
  const known = new Set<string>(sharers.keys())
  for (const [name, layout] of model.linears) {
    const row = emptyRow(name)
    for (const { role } of rolesOf(layout)) {
      const tensor = `${name}.${role}`
      known.add(tensor)
      // Of a quantized linear every tensor is of one of these kinds.
      row[(parts[role] ?? otherRoles) as keyof typeof noBytes] += bytesOf(tensor)
    }
    const order = orderOf(layout)
    if (order !== undefined) row.order = bytesOf(order) / sharers.get(order)!
    whole.linears.push(row)
  }
  const layers = new Map<number, number>()
  for (const [tensor, { bytes, shape }] of model.tensors) {
    if (known.has(tensor)) continue
    const layer = layerOf(tensor)
    if (layer === null) whole[isTable(tensor) ? 'embeddings' : 'rest'] += bytes
    else if (shape.length === 2 && tensor.endsWith('.weight')) {
      whole.linears.push({ ...emptyRow(tensor.slice(0, -'.weight'.length)), kept: bytes })
    } else layers.set(layer, (layers.get(layer) ?? 0) + bytes)
  }
  whole.layers = [...layers].map(([layer, rest]) => ({ layer, rest })).sort((a, b) => a.layer - b.layer)
  return whole
}

const noBytes = { codes: 0, signs: 0, second: 0, bitmaps: 0, scales: 0, order: 0, kept: 0 }
const emptyRow = (name: string): LinearBytes['linears'][number] => ({
  name,
  layer: layerOf(name),
  kind: name.slice(name.lastIndexOf('.') + 1),
  ...noBytes,
})

function layerOf(name: string): number | null {
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1]
  return layer === undefined ? null : Number(layer)
}
