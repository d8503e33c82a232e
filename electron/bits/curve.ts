// What each method can reach on a model, from its smallest file to its largest: the parameters that drive its size, varied
// where it makes sense, each point with its forecast.
import { findMethod, resolveParameters, type MethodId, type Parameters } from '../contract/methods.ts'
import { kept, type Curve, type CurvePoint } from '../contract/curve.ts'
import { checkOverrides, type Treatment } from '../contract/overrides.ts'
import { forecast, type CalibrationNote, type Measures } from './forecast.ts'
import { typicalShare } from './linear.ts'

/** `level`: a point of a lower level has to be smaller than every one of a higher level, or nobody would choose it. */
type Candidate = { parameters: Parameters; level: number }

const across = <A, B, C>(as: readonly A[], bs: readonly B[], join: (a: A, b: B) => C): C[] =>
  as.flatMap((a) => bs.map((b) => join(a, b)))

/** From the coarsest; a model whose rows are shorter than a group has the same file as with the whole row. */
const groups = [-1, 1024, 512, 256, 128, 64, 32]
/** Finer grids pay more scales for the same codes; from some group on one more bit costs less and brings more. */
const codes = (widths: readonly number[]) =>
  across(widths, groups, (bits, group): Candidate => ({ parameters: { bits, group }, level: bits }))

/** Narrow blocks have more scales. */
const blocks = [256, 192, 160, 128, 112, 96, 80, 64, 48, 32]

/**
 * With the column-group bitmap salient columns cost a third sign, and how many there are the weights decide: max_salient
 * bounds them. It comes down from the usual value as far as a typical block does not feel it.
 */
const bounds = (blocksize: number): number[] => {
  const [usual, least] = [Math.min(50, blocksize), Math.ceil(typicalShare * blocksize) + 1]
  return Array.from({ length: usual - least + 1 }, (_, i) => usual - i)
}

const arb = {
  chooses: ['blocksize', 'column_group_bitmap', 'max_salient'],
  points: [
    // Before blocks get narrower than usual the bitmap is the better use of the bytes.
    ...blocks.filter((blocksize) => blocksize >= 128).map((blocksize) => ({ blocksize, column_group_bitmap: false })),
    ...blocks.flatMap((blocksize) =>
      bounds(blocksize).map((max_salient) => ({ blocksize, column_group_bitmap: true, max_salient })),
    ),
  ].map((parameters): Candidate => ({ parameters, level: 0 })),
}

const hundredths = Array.from({ length: 101 }, (_, i) => i / 100)

/** `scale_type` is not varied: F32 doubles the scales without a finer grid. */
const candidates: Record<MethodId, { chooses: string[]; points: Candidate[] }> = {
  rtn: { chooses: ['bits', 'group'], points: codes([1, 2, 3, 4, 5, 6, 7, 8]) },
  gptq: { chooses: ['bits', 'group'], points: codes([2, 3, 4, 5, 6, 7, 8]) },
  billm: {
    chooses: ['blocksize'],
    points: blocks.map((blocksize) => ({ parameters: { blocksize }, level: 0 })),
  },
  'pb-llm': {
    chooses: ['salient_share'],
    points: Array.from({ length: 99 }, (_, i) => ({ parameters: { salient_share: (i + 2) / 200 }, level: 0 })),
  },
  arb,
  'arb-x': arb,
  'arb-rc': arb,
  fdb: {
    chooses: ['group'],
    points: [128, 96, 64, 48, 32].map((group) => ({ parameters: { group }, level: 0 })),
  },
  'signum-rc': {
    chooses: ['second_plane', 'third_plane'],
    points: [
      ...hundredths.map((second_plane) => ({ parameters: { second_plane, third_plane: 0 }, level: 0 })),
      ...hundredths.map((third_plane) => ({ parameters: { second_plane: 1, third_plane }, level: 0 })),
    ],
  },
}

/** What a recipe says beside its method; it has its part of every size. */
export type Beside = Omit<Treatment, 'method' | 'parameters'>

/**
 * `fixed`: parameters that are not as usual and stay; a candidate that does not go with them is left out. `calibration`: as
 * forecast has it.
 */
export function curveOf(
  id: MethodId,
  fixed: Parameters,
  model: Measures,
  beside: Beside = { overrides: [] },
  calibration?: CalibrationNote | null,
): Curve {
  const method = findMethod(id)
  const { chooses, points } = candidates[id]
  const stays = kept(fixed, { chooses })
  const reached: (CurvePoint & { level: number })[] = []
  let exact = true
  for (const { parameters: chosen, level } of method.ok ? points : []) {
    const resolved = method.ok ? resolveParameters(method.value, { ...stays, ...chosen }) : method
    if (!resolved.ok) continue
    const parameters = resolved.value
    const treatment = { ...beside, method: id, parameters }
    if (!checkOverrides(treatment).ok) continue
    const { expected, most } = forecast(treatment, model, calibration)
    if (most.linearBytes !== expected.linearBytes) exact = false
    const { nominal, linear, file, linearBytes: linear_bytes, fileBytes: file_bytes } = expected
    const worst = { most_linear: most.linear, most_file_bytes: most.fileBytes }
    reached.push({ parameters, nominal, linear, file, linear_bytes, file_bytes, ...worst, level })
  }
  return { method: id, chooses, exact, points: worthwhile(reached) }
}

/** Rising in linear bits, and the most of them, without those that cost as much as another of the same or a higher level. */
function worthwhile(points: readonly (CurvePoint & { level: number })[]): CurvePoint[] {
  const worth: CurvePoint[] = []
  let level = -Infinity
  // Of equals the one listed first comes first: the sort is stable.
  const rising = points.toSorted((a, b) => a.linear - b.linear || a.most_linear - b.most_linear)
  for (const { level: its, ...point } of rising) {
    const before = worth.at(-1)
    if (its < level || (before?.linear === point.linear && before.most_linear === point.most_linear)) continue
    worth.push(point)
    level = its
  }
  return worth
}
