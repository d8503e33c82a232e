// report.json: what a run did and what came out, from the worker's result, its layer events and the measurements.
import type { QuantizeResult, Note, RunReport } from '../contract/records.ts'
import { readLayerReports, runFiles } from './folder.ts'
import type { PreparedRun } from './prepare.ts'

export type Measured = RunReport['perplexity']

export async function reportOf(
  run: PreparedRun,
  { program, peak }: { program: string; peak: number | null },
  result: QuantizeResult,
  perplexity: Measured,
  warnings: Note[],
): Promise<RunReport> {
  const { linears, ...model } = run.model
  delete model.tensors
  const layers = await readLayerReports(runFiles(run.out).events)
  const evaluate = perplexity.reduce((total, { original, packed }) => total + original.seconds + packed.seconds, 0)
  return {
    signum_report: 1,
    program,
    run: run.out,
    packed: result.packed,
    model,
    recipe: run.recipe,
    calibration: calibrationOf(run),
    bits: { nominal: result.nominal_bits, linear: result.linear_bits, file: result.file_bits },
    sizes: {
      original_bytes: model.bytes,
      file_bytes: result.file_bytes,
      linear_bytes: result.linear_bytes,
      weights: result.weights,
      parameters: result.parameters,
    },
    perplexity,
    layers: linears.flatMap(({ name }) => layers.get(name) ?? []),
    seconds: { ...result.seconds, evaluate },
    resumed: run.resume,
    peak_resident_bytes: result.peak_resident_bytes,
    device: deviceOf(run, peak),
    warnings,
    imported: null,
  }
}

function deviceOf({ device: { id, name, precision } }: PreparedRun, peak_bytes: number | null): RunReport['device'] {
  return name === null || precision === null ? null : { id, name, precision, peak_bytes }
}

function calibrationOf({ recipe, calibration: text }: PreparedRun): RunReport['calibration'] {
  if (recipe.calibration === null || text === null) return null
  const { sampling, sequences, length, seed } = recipe.calibration
  return { ...text.tokens, sampling, sequences, length, seed }
}
