// Every kind of layout that the methods can write, without its scale type.
export interface Recipe {
  readonly method: string
  readonly parameters: Record<string, string | number | boolean>
}

/** The options of a grid, as `symmetric` or `clip` or both. */
const grid = (options: string) => ({ symmetric: options.includes('symmetric'), clip_search: options.includes('clip') })

const rtn = (bits: number, group: number, options = ''): Recipe => ({
  method: 'rtn',
  parameters: { bits, group, ...grid(options) },
})

const gptq = (bits: number, group: number, order: string, options = ''): Recipe => ({
  method: 'gptq',
  parameters: { bits, group, order, correction: 0, blocksize: 128, damping: 0.01, ...grid(options) },
})

const billm = (salience: string, blocksize: number, space = 'saliency'): Recipe => ({
  method: 'billm',
  parameters: { salience, search_space: space, correction: 0, blocksize, damping: 0.01, max_salient: 30 },
})

const pbLlm = (share: number, salience: string, bits: number, group: number, rule: string): Recipe => ({
  method: 'pb-llm',
  parameters: {
    salient_share: share,
    salience,
    salient_bits: bits,
    group,
    mean_rule: rule,
    correction: 0,
    blocksize: 128,
    damping: 0.01,
  },
})

const arb = (method: string, salience: string, blocksize: number, bitmap: boolean, splits = 1): Recipe => ({
  method,
  parameters: {
    salience,
    search_space: splits > 1 ? 'weights' : 'saliency',
    correction: 0,
    blocksize,
    damping: 0.01,
    max_salient: 30,
    column_group_bitmap: bitmap,
    splits,
    iterations: 5,
  },
})

const fdb = (group: number, rule: string, propagation = false): Recipe => ({
  method: 'fdb',
  parameters: { group, step_rule: rule, propagation, damping: 0.01 },
})

const signumRc = (
  secondPlane: number,
  order: string,
  columnScales: boolean,
  blocksize: number,
  thirdPlane = 0,
): Recipe => ({
  method: 'signum-rc',
  parameters: {
    second_plane: secondPlane,
    third_plane: thirdPlane,
    order,
    column_scales: columnScales,
    refits: 2,
    correction: 0,
    blocksize,
    damping: 0.01,
  },
})

export const recipes: readonly Recipe[] = [
  ...[1, 2, 3, 5, 8].map((bits) => rtn(bits, -1)),
  ...[2, 3, 4, 7].map((bits) => rtn(bits, 64)),
  rtn(4, 32, 'symmetric'),
  rtn(2, -1, 'symmetric, clip'),
  rtn(1, 64, 'clip'),
  gptq(8, -1, 'natural'),
  gptq(2, 64, 'natural'),
  gptq(3, 32, 'natural'),
  gptq(2, -1, 'hessian'),
  gptq(3, 64, 'hessian'),
  gptq(4, 128, 'hessian'),
  gptq(3, 32, 'hessian', 'symmetric, clip'),
  gptq(5, -1, 'natural', 'clip'),
  billm('hessian', 128),
  billm('magnitude', 128),
  billm('hessian', 64),
  billm('hessian', 128, 'weights'),
  pbLlm(0.1, 'hessian', 8, -1, 'published'),
  pbLlm(0.01, 'hessian', 8, 128, 'least_squares'),
  pbLlm(0.2, 'magnitude', 4, 64, 'published'),
  pbLlm(0.5, 'hessian', 5, -1, 'least_squares'),
  ...['arb', 'arb-x', 'arb-rc'].flatMap((method) => [
    arb(method, 'hessian', 128, false),
    arb(method, 'magnitude', 64, false),
    arb(method, 'hessian', 128, true),
    arb(method, 'magnitude', 64, true),
    ...[2, 3].flatMap((splits) => [
      arb(method, 'hessian', 128, false, splits),
      arb(method, 'hessian', 64, true, splits),
    ]),
  ]),
  fdb(32, 'max'),
  fdb(64, 'search'),
  fdb(128, 'search'),
  fdb(64, 'hessian', true),
  signumRc(0, 'natural', true, 128),
  signumRc(0, 'hessian', false, 64),
  signumRc(0.25, 'natural', true, 128),
  signumRc(0.25, 'natural', false, 64),
  signumRc(0.25, 'hessian', true, 64),
  signumRc(0.25, 'hessian', false, 128),
  signumRc(1, 'natural', true, 128),
  signumRc(1, 'hessian', true, 128),
  signumRc(1, 'hessian', false, 64),
  signumRc(1, 'hessian', true, 128, 1),
  signumRc(0.6, 'hessian', true, 64, 0.3),
  signumRc(0.5, 'natural', false, 128, 0.5),
]
