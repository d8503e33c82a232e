// What each method can reach on a model, from its smallest file to its largest: the parameters that drive its size, varied
// where it makes sense, each point with its forecast.
import { findMethod, resolveParameters, type MethodId, type Parameters } from '../contract/methods.ts'
import type { Curve, CurvePoint } from '../contract/curve.ts'
import { checkOverrides, type Override } from '../contract/overrides.ts'
import { forecast, type Measures } from './forecast.ts'

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

const arb = {
  chooses: ['blocksize', 'column_group_bitmap'],
  // Before blocks get narrower than usual the bitmap is the better use of the bytes.
  points: across([false, true], blocks, (column_group_bitmap, blocksize) => ({ column_group_bitmap, blocksize }))
    .filter((one) => one.column_group_bitmap || one.blocksize >= 128)
    .map((parameters): Candidate => ({ parameters, level: 0 })),
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

/**
 * `fixed`: parameters that are not as usual and stay; a candidate that does not go with them is left out. `overrides`:
 * for single linears, which then have their part of every size.
 */
export function curveOf(id: MethodId, fixed: Parameters, model: Measures, overrides: readonly Override[] = []): Curve {
  const method = findMethod(id)
  const { chooses, points } = candidates[id]
  const reached: (CurvePoint & { level: number })[] = []
  let exact = true
  for (const { parameters: chosen, level } of method.ok ? points : []) {
    const resolved = method.ok ? resolveParameters(method.value, { ...fixed, ...chosen }) : method
    if (!resolved.ok) continue
    const parameters = resolved.value
    if (!checkOverrides({ method: id, parameters, overrides }).ok) continue
    const { expected, most } = forecast({ method: id, parameters, overrides }, model)
    if (most.linearBytes !== expected.linearBytes) exact = false
    const { nominal, linear, file, linearBytes, fileBytes } = expected
    reached.push({ parameters, nominal, linear, file, linear_bytes: linearBytes, file_bytes: fileBytes, level })
  }
  return { method: id, chooses, exact, points: worthwhile(reached) }
}

/** Rising in linear bits, without those that cost as much as another of the same or a higher level. */
function worthwhile(points: readonly (CurvePoint & { level: number })[]): CurvePoint[] {
  const kept: CurvePoint[] = []
  let level = -Infinity
  // Of equals the one listed first comes first: the sort is stable.
  for (const { level: its, ...point } of points.toSorted((a, b) => a.linear - b.linear)) {
    if (its < level || kept.at(-1)?.linear === point.linear) continue
    kept.push(point)
    level = its
  }
  return kept
}
