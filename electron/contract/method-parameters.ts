// Parameters that several methods have, each described once.
import type { Parameter } from './parameters.ts'

export const scaleType: Parameter = {
  key: 'scale_type',
  symbol: '',
  unit: '',
  type: 'choice',
  choices: ['f16', 'f32', 'bf16'],
  default: 'f16',
  help: 'Number type of the stored scales and means; weights are fitted to the rounded values.',
}
export const blocksize: Parameter = {
  key: 'blocksize',
  symbol: 'b',
  unit: 'columns',
  type: 'integer',
  min: 32,
  max: 256,
  default: 128,
  help: 'Columns that are quantized together and, in the binary methods, share their row scales.',
}
export const damping = {
  key: 'damping',
  symbol: 'lambda',
  unit: 'share of mean(diag H)',
  type: 'number',
  min: 1e-6,
  max: 1,
  default: 0.01,
  help: "Added to the Hessian's diagonal before it is factored.",
} satisfies Parameter
export const salience: Parameter = {
  key: 'salience',
  symbol: 'T',
  unit: '',
  type: 'choice',
  choices: ['hessian', 'magnitude'],
  default: 'hessian',
  help: 'What makes a weight salient: its size over its inverse-Hessian entry, or its size alone.',
}
export const searchSpace: Parameter = {
  key: 'search_space',
  symbol: '',
  unit: '',
  type: 'choice',
  choices: ['saliency', 'weights'],
  default: 'saliency',
  help: 'What the searches binarize: saliency, as the published programs do, or the weights, as the papers print.',
}
export const maxSalient: Parameter = {
  key: 'max_salient',
  symbol: 'up',
  unit: 'columns per block',
  type: 'integer',
  min: 2,
  max: 256,
  default: 50,
  help: 'The search for the number of salient columns stays below this; at most blocksize.',
}
export const columnGroupBitmap: Parameter = {
  key: 'column_group_bitmap',
  symbol: 'CGB',
  unit: '',
  type: 'boolean',
  default: true,
  help: 'Splits salient columns into two groups too: better, for a quarter to half a bit more.',
}
export const splits: Parameter = {
  key: 'splits',
  symbol: 'num_p',
  unit: '',
  type: 'integer',
  min: 1,
  max: 3,
  default: 1,
  help: 'Splits of a zone: one more is one more group; from 2 on a second bit per weight says which.',
}
export const iterations = (help: string): Parameter => ({
  key: 'iterations',
  symbol: 'T',
  unit: '',
  type: 'integer',
  min: 0,
  max: 100,
  default: 15,
  help,
})
export const bits = (min: number, max: number): Parameter => ({
  key: 'bits',
  symbol: 'b',
  unit: 'bits per weight',
  type: 'integer',
  min,
  max,
  default: 2,
  help: 'Width of a stored code.',
})
export const group = (value: number, help = 'Columns of a row that share one scale and zero.'): Parameter => ({
  key: 'group',
  symbol: 'g',
  unit: 'columns',
  type: 'integer',
  min: 32,
  max: 1_048_576,
  special: { value: -1, meaning: 'the whole row' },
  default: value,
  help,
})
export const symmetric: Parameter = {
  key: 'symmetric',
  symbol: 'sym',
  unit: '',
  type: 'boolean',
  default: false,
  help: 'Levels on both sides of 0 and no stored zeros; needs at least 2 bits.',
}
export const clipSearch: Parameter = {
  key: 'clip_search',
  symbol: 'mse',
  unit: '',
  type: 'boolean',
  default: false,
  help: "Narrows each row's or group's range to what leaves the least error |w - w_hat|^2.4: of 80 ranges down to a fifth.",
}
export const order = (value: 'natural' | 'hessian'): Parameter => ({
  key: 'order',
  symbol: '',
  unit: '',
  type: 'choice',
  choices: ['natural', 'hessian'],
  default: value,
  help: 'Order in which columns are quantized; hessian puts those with the largest inputs first.',
})
export const correction = (value: 0 | 1): Parameter => ({
  key: 'correction',
  symbol: 'beta',
  unit: 'share',
  type: 'number',
  min: 0,
  max: 1,
  default: value,
  help: 'How much of what was lost before a linear it makes good; 0 fits every linear to its own weights, as the papers do.',
})
