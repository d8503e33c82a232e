// How long the phases of a run usually take, from what has been measured (docs/BENCHMARKS.md): the rough estimate where
// nothing is known of this computer, and the measure by which its finished runs are compared.
import type { Parameters } from '../contract/methods.ts'
import type { Model } from '../contract/records.ts'
import { corrects, linearRecipes, type LinearRecipe } from '../contract/overrides.ts'
import { weightsOf } from '../bits/counts.ts'
import { inputOf } from '../bits/forecast.ts'
import type { ResolvedRecipe } from './checks.ts'

export type Seconds = Record<string, number>

/** What the time depends on. `tokens`: of the evaluation texts, in their order. */
export type TimedRun = {
  model: Pick<Model, 'bytes' | 'parameters' | 'linears'>
  recipe: Pick<ResolvedRecipe, 'method' | 'parameters' | 'overrides' | 'calibration' | 'evaluations'>
  tokens: readonly number[]
  fileBytes: number
  threads: number
}

/** Rates of one thread; those of the benchmarks are for two. */
const productRate = 134e9
const factorRate = 65e9
/** Of disks and of SHA-256, for all threads together. */
const readRate = 600e6
const writeRate = 100e6
/** Seconds that a phase takes even where there is next to nothing to do. */
const least: Seconds = { hash: 0.005, calibrate: 0.02, factor: 0.005, quantize: 0.01, propagate: 0.01, write: 0.01 }

export function usualSeconds({ model, recipe, tokens, fileBytes, threads }: TimedRun): Seconds {
  const { calibration, evaluations } = recipe
  const recipes = linearRecipes(
    recipe,
    model.linears.map(({ name }) => name),
  )
  const inputs = [...new Map(model.linears.map((linear) => [inputOf(linear), linear.columns])).values()]
  const weights = weightsOf(model.linears)
  const product = (operations: number) => operations / productRate / threads
  const work: Seconds = { hash: model.bytes / readRate, write: fileBytes / writeRate, quantize: 0 }
  for (const { name, rows, columns } of model.linears) {
    const its = recipes.get(name)
    if (!its) continue
    const { method, parameters } = its
    const own = (rows * columns * ownTime(method, parameters)) / threads
    // Where errors are passed on, every weight is moved by all that came before it in its row.
    work['quantize']! += own + (passesErrorsOn(its) ? product(rows * columns * columns) : 0)
  }
  if (calibration !== null) {
    const passed = calibration.sequences * calibration.length
    const hessians = inputs.reduce((total, n) => total + n * n, 0)
    // With a correction both models go through a layer, and anew for each of its inputs.
    const corrected = corrects(recipe)
    work['calibrate'] = product(2 * passed * (corrected ? 8 * weights + 2 * hessians : weights + hessians))
    work['propagate'] = product(2 * passed * weights * (corrected ? 2 : 1))
    if (corrected) work['quantize']! += model.linears.reduce((all, l) => all + product(4 * l.rows * l.columns ** 2), 0)
    work['factor'] = inputs.reduce((total, n) => total + n ** 3 / 3, 0) / factorRate / threads
  }
  for (const phase of Object.keys(work)) work[phase]! += least[phase] ?? 0
  let evaluate = 0
  for (const [i, { window }] of evaluations.entries()) {
    const measured = Math.floor((tokens[i] ?? 0) / window) * window
    // Original and packed.
    evaluate += 2 * (0.1 + product(2 * measured * model.parameters))
  }
  return { ...work, evaluate }
}

/** Every linear alone replaced, and the layers from its own to the end and the head passed through with it. */
export const probeSeconds = (
  { linears, hidden, vocabulary }: Pick<Model, 'linears' | 'hidden' | 'vocabulary'>,
  weights: number,
  tokens: number,
  threads: number,
): number => (linears.length * 2 * tokens * (weights / 2 + hidden * vocabulary)) / productRate / threads

const passesErrorsOn = ({ method, parameters }: LinearRecipe): boolean =>
  method === 'fdb' ? parameters['propagation'] === true : method !== 'rtn'

/**
 * Seconds of one thread for the searches and fits of one weight: what the benchmarks leave after factor and products.
 */
function ownTime(method: ResolvedRecipe['method'], parameters: Parameters): number {
  const number = (key: string) => parameters[key] as number
  const clipSearch = () => (parameters['clip_search'] === true ? 66 : 0)
  const nanoseconds = {
    rtn: () => 3 + clipSearch(),
    gptq: () => 12 + clipSearch(),
    billm: () => 30,
    'pb-llm': () => 18,
    arb: () => 26 + 0.5 * number('iterations') + (parameters['column_group_bitmap'] === true ? 7 : 0),
    'arb-x': () => 66 + 0.5 * number('iterations') + (parameters['column_group_bitmap'] === true ? 5 : 0),
    'arb-rc': () => 28 + 0.4 * number('iterations') + (parameters['column_group_bitmap'] === true ? 7 : 0),
    fdb: () => (parameters['step_rule'] === 'max' ? 7 : 14) + (parameters['propagation'] === true ? 11 : 0),
    'signum-rc': () => {
      const more = number('second_plane') + number('third_plane')
      return 36 + 13 * more + number('refits') * (6.6 + 9.8 * more)
    },
  }
  return nanoseconds[method]() * 1e-9
}

export const total = (seconds: Seconds): number => Object.values(seconds).reduce((sum, one) => sum + one, 0)
