// The bytes of the shards' JSON headers. They hold names, hashes and layouts, so their length is known to a few bytes per
// number in them; in a model of a few million parameters they are a percent or two of the files.
import type { MethodId, Parameters } from '../contract/methods.ts'
import type { LinearRecipe } from '../contract/overrides.ts'
import type { Linear } from '../contract/records.ts'
import { salientWeights, smallestMask, type Shape } from './linear.ts'

/** An entry of the header, an entry of `sha256` (64 digits, quotes escaped): without the name, which stands in both. */
const tensorBytes = 62 + 74
/** An entry of `linears`, without the name. */
const layoutBytes = 105
/** `recipe`, `calibration`, `source` (about seven files), `program` and the keys. */
const shardBytes = 1500
/** Norms: two in every decoder layer. */
const otherTensorsOfLayer = 2 * (tensorBytes + 2 * 44)

/** Names of the tensors that stand for one linear. */
function roles(method: MethodId, parameters: Parameters, shape: Shape): string[] {
  switch (method) {
    case 'rtn':
    case 'gptq':
      return parameters['symmetric'] === true ? ['code', 'code_scale'] : ['code', 'code_scale', 'code_zero']
    case 'billm':
    case 'arb':
    case 'arb-x':
    case 'arb-rc': {
      const scales = method === 'arb-rc' ? ['row_scale', 'column_scale'] : ['scale', 'mean']
      const more = [
        ...(parameters['column_group_bitmap'] === true ? ['plane3'] : []),
        ...(Number(parameters['splits'] ?? 1) > 1 ? ['group2'] : []),
      ]
      return ['sign', 'plane2', 'salient', ...scales, ...more]
    }
    case 'pb-llm': {
      const always = ['salient_count', 'sign', 'code', 'mean', 'scale', 'code_scale', 'code_zero']
      const salient = salientWeights(parameters, shape)
      return smallestMask(shape, salient).lowBits === 0 ? [...always, 'mask'] : [...always, 'mask_low', 'mask_high']
    }
    case 'fdb':
      return ['sign', 'plane2', 'scale']
    case 'signum-rc': {
      const columns = parameters['column_scales'] === true
      const roles = columns ? ['sign', 'row_scale', 'column_scale'] : ['sign', 'row_scale']
      const suffixes = ['', parameters['second_plane'] === 0 ? [] : '2', parameters['third_plane'] === 0 ? [] : '3']
      return suffixes.flat().flatMap((suffix) => roles.map((role) => role + suffix))
    }
  }
}

/** `recipes`: of every linear; null: it is kept. `orders`: how many order tensors there are. */
export function headerBytes(
  recipes: ReadonlyMap<string, LinearRecipe | null>,
  linears: readonly Linear[],
  orders: number,
): number {
  const shards = new Set(linears.map(({ layer }) => layer)).size + 1
  let bytes = shards * shardBytes + (shards - 1) * otherTensorsOfLayer
  for (const linear of linears) {
    const { name } = linear
    const recipe = recipes.get(name)
    if (!recipe) {
      bytes += tensorBytes + 2 * (name.length + '.weight'.length)
      continue
    }
    const { method, parameters } = recipe
    bytes += layoutBytes + name.length + (parameters['order'] === 'hessian' ? name.length + 20 : 0)
    if (parameters['symmetric'] === true) bytes += 19
    for (const role of roles(method, parameters, linear)) bytes += tensorBytes + 2 * (name.length + 1 + role.length)
  }
  const longest = Math.max(0, ...linears.map(({ name }) => name.length))
  return bytes + orders * (tensorBytes + 2 * (longest + 6))
}
