// What a packed model stores beside its linears: norms, biases, and the two tables in the form that the recipe asks for.
import type { Treatment } from '../contract/overrides.ts'
import type { Linear, Model } from '../contract/records.ts'
import { tableGroup, type TableType } from '../contract/tables.ts'
import { weightsOf } from './counts.ts'
import { bytesOf, storedLinear, type LayoutText } from './stored.ts'

/** What inspect says, as far as sizes depend on it; of a model that is only thought of, less. */
export type Measures = Pick<Model, 'parameters' | 'dtype' | 'linears'> &
  Partial<Pick<Model, 'tensors' | 'tables' | 'tied' | 'copied' | 'files' | 'program'>>

export type Tensor = { name: string; dtype: string; shape: readonly number[] }
export type Layouts = [string, LayoutText][]

/** The number of layers, and of the shard that follows theirs. */
export const layersOf = ({ linears }: { linears: readonly Linear[] }): number =>
  linears.reduce((layers, { layer }) => Math.max(layers, layer + 1), 0)

/** Tensors that are no linear's: those that inspect lists, or one in place of them all. */
function sourceTensors(model: Measures): (Tensor & { layer: number })[] {
  if (model.tensors !== undefined) return model.tensors
  const weights = weightsOf(model.linears)
  const shape = [model.parameters - weights]
  return [{ name: 'model.embed_tokens.weight', dtype: model.dtype, shape, layer: layersOf(model) }]
}

export type Others = {
  /** As they are stored in the packed model, by shard: one for each layer and one for what belongs to none. */
  tensors: Tensor[][]
  /** Of tables that are packed; they stand in the last shard. */
  layouts: Layouts
}

export function othersOf(
  { embedding_type = 'source', head_type = 'source' }: Partial<Treatment>,
  model: Measures,
): Others {
  const layers = layersOf(model)
  const replaced = new Set<string>()
  const others: Others = { tensors: Array.from({ length: layers + 1 }, () => []), layouts: [] }
  const replace = (name: string, type: TableType) => {
    const source = model.tensors?.find((one) => one.name === name)
    if (source === undefined || type === 'source' || (type === 'f16' && source.dtype === 'F16')) return
    replaced.add(name)
    if (type === 'f16') return void others.tensors[layers]!.push({ name, dtype: 'F16', shape: source.shape })
    const [rows = 0, columns = 0] = source.shape
    const parameters = { bits: type === 'rtn8' ? 8 : 4, group: tableGroup, symmetric: false, scale_type: 'f16' }
    const stored = storedLinear('rtn', parameters, { rows, columns }, 0)
    const module = name.replace(/\.weight$/, '')
    for (const { role, dtype, shape } of stored.tensors)
      others.tensors[layers]!.push({ name: `${module}.${role}`, dtype, shape })
    others.layouts.push([module, stored.layout])
  }
  if (model.tables) {
    replace(model.tables.embedding, embedding_type)
    if (!model.tied) replace(model.tables.head, head_type)
    // A second copy under the head's name would be the same table once more.
    else if (replaced.size > 0) replaced.add(model.tables.head)
  }
  for (const { layer, ...tensor } of sourceTensors(model)) {
    if (!replaced.has(tensor.name)) others.tensors[Math.min(layer, layers)]!.push(tensor)
  }
  return others
}

/** Bytes of the tables, and of all else that is no linear's. */
export function otherBytes({ tensors }: Others): { embeddings: number; rest: number } {
  let [embeddings, rest] = [0, 0]
  for (const tensor of tensors.flat()) {
    if (/embed|lm_head/.test(tensor.name)) embeddings += bytesOf(tensor)
    else rest += bytesOf(tensor)
  }
  return { embeddings, rest }
}
