// The files of a packed model before they are written: every tensor, and the text of every header, to the byte
// (docs/FORMAT.md). What is not known yet, hashes, has a known length.
import { namedTreatment, type LinearRecipe, type Treatment } from '../contract/overrides.ts'
import type { Linear } from '../contract/records.ts'
import { indexBytes } from './counts.ts'
import { jsonText } from './json-text.ts'
import { orderBytes } from './linear.ts'
import { layersOf, othersOf, type Layouts, type Measures, type Tensor } from './others.ts'
import { bytesOf, dtypeBytes, storedLinear } from './stored.ts'

/** Of every linear; null: it is kept. */
export type Recipes = ReadonlyMap<string, LinearRecipe | null>
/** How many columns of a linear the search marks, in billm and the ARB methods; else 0. */
export type SalientOf = (recipe: LinearRecipe, linear: Linear) => number

/** What the metadata say of the calibration. */
export type CalibrationNote = { tokens: number; sampling: string; sequences: number; length: number; seed: number }
/** Longer than any other: for a calibration that is not chosen yet, or whose text is not counted. */
export const longestNote: CalibrationNote = {
  tokens: 99_999_999_999,
  sampling: 'sequential',
  sequences: 9_999_999,
  length: 9_999_999,
  seed: 4_294_967_295,
}

type Shard = { tensors: Tensor[]; layouts: Layouts; tables: Layouts }

/**
 * Linears with one input in common store one order tensor; which they are is a matter of the block's architecture. (Inputs
 * that come to the same order by chance share it too: a few bytes less than is said here.)
 */
const sharedInputs: Record<string, string> = { k_proj: 'q_proj', v_proj: 'q_proj', up_proj: 'gate_proj' }
export const inputOf = ({ layer, kind }: Linear): string => `${layer}.${sharedInputs[kind] ?? kind}`

function layerShard(linears: readonly Linear[], others: readonly Tensor[], shared: Shared): Shard {
  const { recipes, salientOf, dtype: usual } = shared
  const shard: Shard = { tensors: [...others], layouts: [], tables: [] }
  const orders = new Map<string, string>()
  for (const linear of linears) {
    const { name, rows, columns } = linear
    const recipe = recipes.get(name)
    if (!recipe) {
      shard.tensors.push({ name: `${name}.weight`, dtype: linear.dtype ?? usual, shape: [rows, columns] })
      continue
    }
    const { method, parameters } = recipe
    const stored = storedLinear(method, parameters, linear, salientOf(recipe, linear))
    for (const { role, dtype, shape } of stored.tensors) shard.tensors.push({ name: `${name}.${role}`, dtype, shape })
    let { layout } = stored
    if (orderBytes(method, parameters, columns) > 0) {
      const order = orders.get(inputOf(linear)) ?? `${name}.order`
      if (!orders.has(inputOf(linear))) {
        shard.tensors.push({ name: order, dtype: indexBytes(columns) === 2 ? 'U16' : 'U32', shape: [columns] })
        orders.set(inputOf(linear), order)
      }
      layout = { ...layout, order }
    }
    shard.layouts.push([name, layout])
  }
  return shard
}

type Shared = {
  recipes: Recipes
  salientOf: SalientOf
  dtype: string
  /** The metadata that are the same in every shard. */
  metadata: Record<string, string>
}

/** Bytes of all safetensors files. `calibration` undefined: not chosen yet, and the most that it can take is said. */
export function fileBytes(
  treatment: Treatment,
  recipes: Recipes,
  model: Measures,
  salientOf: SalientOf,
  calibration: CalibrationNote | null | undefined,
): number {
  const layers = layersOf(model)
  const metadata = sharedMetadata(treatment, model, calibration === undefined ? longestNote : calibration)
  const shared = { recipes, salientOf, dtype: model.dtype, metadata }
  const numbers = new Map([...new Set(recipes.values())].map((recipe, i) => [recipe, i]))
  const others = othersOf(treatment, model)
  let total = shardBytes({ tensors: others.tensors[layers]!, layouts: [], tables: others.layouts }, metadata)
  // Most layers are alike but for their number: their headers are as long.
  const known = new Map<string, number>()
  for (const [layer, { linears, likeness }] of layersIn(model).entries()) {
    let key = String(likeness)
    for (const linear of linears) {
      const recipe = recipes.get(linear.name) ?? null
      key += ` ${numbers.get(recipe)}:${recipe && salientOf(recipe, linear)}`
    }
    const bytes = known.get(key) ?? shardBytes(layerShard(linears, others.tensors[layer]!, shared), metadata)
    known.set(key, bytes)
    total += bytes
  }
  return total
}

type Layer = {
  linears: Linear[]
  /** The same number where everything is the same that a shard's size depends on, but for what is done to the linears. */
  likeness: number
}
const layersKnown = new WeakMap<Measures, Layer[]>()

/** Asked for again with every point of a curve. */
function layersIn(model: Measures): Layer[] {
  const known = layersKnown.get(model)
  if (known) return known
  const tensors = othersOf({}, model).tensors
  const layers = Array.from({ length: layersOf(model) }, (): Layer => ({ linears: [], likeness: 0 }))
  for (const linear of model.linears) layers[linear.layer]!.linears.push(linear)
  const kinds = new Map<string, number>()
  for (const [at, layer] of layers.entries()) {
    const inLayer = (name: string) => name.replace(`.${at}.`, `.${'#'.repeat(String(at).length)}.`)
    const text = JSON.stringify([
      layer.linears.map(({ name, rows, columns, dtype }) => [inLayer(name), rows, columns, dtype]),
      tensors[at]!.map(({ name, dtype, shape }) => [inLayer(name), dtype, shape]),
    ])
    layer.likeness = kinds.get(text) ?? kinds.size
    kinds.set(text, layer.likeness)
  }
  layersKnown.set(model, layers)
  return layers
}

const hash = '0'.repeat(64)

function sharedMetadata(treatment: Treatment, model: Measures, calibration: CalibrationNote | null) {
  const sources = [...(model.copied ?? []), ...(model.files ?? []).map(({ name }) => name)]
  const recipe = namedTreatment(
    treatment,
    model.linears.map(({ name }) => name),
  )
  return {
    signum_format: '1',
    program: model.program ?? 'signum 0.1.0',
    recipe: jsonText(recipe),
    calibration: jsonText(calibration === null ? null : { ...calibration, sha256: hash }),
    source: jsonText(Object.fromEntries(sources.map((name) => [name, hash]))),
  }
}

/** One file: the length of its header, the header filled up to 64 bytes, the tensors. */
function shardBytes({ tensors, layouts, tables }: Shard, shared: Record<string, string>): number {
  const sorted = tensors.toSorted(
    (a, b) => (dtypeBytes[b.dtype] ?? 4) - (dtypeBytes[a.dtype] ?? 4) || (a.name < b.name ? -1 : 1),
  )
  const metadata = {
    ...shared,
    linears: jsonText(Object.fromEntries(layouts)),
    ...(tables.length > 0 ? { tables: jsonText(Object.fromEntries(tables)) } : {}),
    // In another order than in the file, which takes no byte more.
    sha256: `{${sorted.map(({ name }) => `${JSON.stringify(name)}:"${hash}"`).join(',')}}`,
  }
  let at = 0
  let header = `{"__metadata__":${JSON.stringify(metadata)}`
  for (const tensor of sorted) {
    const end = at + bytesOf(tensor)
    const { name, dtype, shape } = tensor
    header += `,${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${at},${end}]}`
    at = end
  }
  const length = new TextEncoder().encode(`${header}}`).length
  return 8 + 64 * Math.ceil(length / 64) + at
}
