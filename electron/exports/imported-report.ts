// What a packed folder tells of the run that made it, as that run's report. What it does not tell (errors, times, memory,
// measurements, the original) is null there, never 0.
import { patternsFor } from '../bits/planner/recipe.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import { parseRecipe, type Recipe } from '../contract/recipe.ts'
import type { LayerReport, Linear, Model, RunReport } from '../contract/records.ts'
import { bitNumbers, nominalBits } from '../packed/bits.ts'
import { orderOf } from '../packed/layout.ts'
import type { ShardMetadata } from '../packed/metadata.ts'
import type { PackedModel } from '../packed/model.ts'
import { rolesOf } from '../packed/roles.ts'

export type ToldBy = Pick<ShardMetadata, 'program' | 'recipe' | 'calibration' | 'source'>

/** What every shard says of the run; refused where they say different things. */
export function toldBy(model: PackedModel): Result<ToldBy> {
  const [first, ...others] = [...model.shards.values()].map(({ metadata }) => metadata)
  if (first === undefined) return failure('packed_broken', `${model.path} has no shard.`)
  const text = ({ program, recipe, calibration, source }: ToldBy) =>
    JSON.stringify([program, recipe, calibration, [...source]])
  if (others.some((one) => text(one) !== text(first))) {
    return failure('packed_broken', `The shards of ${model.path} are of different runs.`)
  }
  return success(first)
}

/** The text that it was calibrated on is known by its tokens only. */
const sourceOf = (sha256: string): string => `sha256:${sha256}`

export function importedRecipe({ recipe, calibration }: ToldBy, from: string): Result<Recipe> {
  const { method, parameters, overrides = [], embedding_type, head_type } = recipe
  const told = {
    signum_recipe: 1,
    method,
    parameters,
    overrides: overrides.flatMap(({ linears, ...what }) => patternsFor(linears).map((match) => ({ match, ...what }))),
    ...(embedding_type === undefined ? {} : { embedding_type }),
    ...(head_type === undefined ? {} : { head_type }),
    calibration: calibration && {
      source: sourceOf(calibration.sha256),
      sampling: calibration.sampling,
      sequences: calibration.sequences,
      length: calibration.length,
      seed: calibration.seed,
    },
  }
  return parseRecipe(told, `The recipe in ${from}`)
}

/** `from`: where it was found. `run` and `packed` are the model's own folder: the caller puts the run's in their place. */
export async function importedReport(
  model: PackedModel,
  inspected: Model,
  told: ToldBy,
  recipe: Recipe,
  from: string,
): Promise<RunReport> {
  const counted = await bitNumbers(model)
  const { linears, ...rest } = inspected
  delete rest.tensors
  const { calibration } = told
  return {
    signum_report: 1,
    program: told.program,
    run: model.path,
    packed: model.path,
    model: rest,
    recipe,
    calibration: calibration && { source: sourceOf(calibration.sha256), ...calibration },
    bits: { nominal: counted.nominal, linear: counted.linear, file: counted.file },
    sizes: {
      original_bytes: null,
      file_bytes: counted.fileBytes,
      linear_bytes: counted.linearBytes,
      weights: counted.weights,
      parameters: counted.parameters,
    },
    perplexity: [],
    layers: await layersOf(model, linears),
    seconds: {},
    resumed: false,
    peak_resident_bytes: null,
    device: null,
    warnings: [],
    imported: { from },
  }
}

/** An order counts under the linear that stores it. */
async function layersOf(model: PackedModel, linears: readonly Linear[]): Promise<LayerReport[]> {
  const reports: LayerReport[] = []
  for (const { name, layer, kind, rows, columns } of linears) {
    const layout = model.linears.get(name)
    const tensors = layout ? rolesOf(layout).map(({ role }) => `${name}.${role}`) : [`${name}.weight`]
    if (layout && orderOf(layout) === `${name}.order`) tensors.push(`${name}.order`)
    const bytes = tensors.reduce((sum, tensor) => sum + (model.tensors.get(tensor)?.bytes ?? 0), 0)
    const bits = (8 * bytes) / (rows * columns)
    reports.push({
      name,
      method: layout?.method ?? 'keep',
      layer,
      kind,
      rows,
      columns,
      nominal_bits: layout ? await nominalBits(model, name, layout) : bits,
      linear_bits: bits,
      bytes,
      relative_weight_error: null,
      relative_output_error: null,
      salient_columns: layout && 'salient_columns' in layout ? layout.salient_columns : null,
      plane1_sparsity: null,
      plane2_sparsity: null,
      seconds: null,
    })
  }
  return reports
}
