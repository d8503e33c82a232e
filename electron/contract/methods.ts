// The catalogue of methods: the one place that knows their names, parameters, ranges and defaults. The command line, its
// help, the recipe files and (later) the forms are all made from it; the worker is told every value.
import { failure, success, type Result } from './errors.ts'
import {
  bits,
  blocksize,
  clipSearch,
  columnGroupBitmap,
  correction,
  damping,
  group,
  iterations,
  maxSalient,
  order,
  salience,
  scaleType,
  searchSpace,
  splits,
  symmetric,
} from './method-parameters.ts'
import { didYouMean } from './nearest.ts'
import { checkValue, readValue, type Parameter, type ParameterValue } from './parameters.ts'

export const methodIds = ['rtn', 'gptq', 'billm', 'pb-llm', 'arb', 'arb-x', 'arb-rc', 'fdb', 'signum-rc'] as const
export type MethodId = (typeof methodIds)[number]

export type Parameters = Record<string, ParameterValue>

/** Parameters that go together, by name; what it does not say stays as usual or as chosen. */
export type Preset = { id: string; title: string; parameters: Parameters }

export type Method = {
  id: MethodId
  title: string
  paper: string
  /** What it is, in a few words: for a list of all of them. */
  brief: string
  /** Whether weights are trained by gradients. */
  training: boolean
  /** Two lines. */
  description: readonly [string, string]
  stores: string
  /** Parameters that are not there are as usual. */
  needsCalibration: (parameters: Readonly<Parameters>) => boolean
  /** One sentence. */
  calibrationHelp: string
  parameters: readonly Parameter[]
  presets?: readonly Preset[]
}

const untrained = { training: false }
const never = { ...untrained, needsCalibration: () => false, calibrationHelp: 'Needs no calibration text.' }
const always = { ...untrained, needsCalibration: () => true, calibrationHelp: 'Needs a calibration text.' }

const searched = {
  salience: 'hessian',
  search_space: 'saliency',
  correction: 0,
  blocksize: 128,
  damping: 0.01,
  max_salient: 50,
}
const published = { ...searched, column_group_bitmap: true, splits: 1, iterations: 15 }
/** ARB-LLM with column-group bitmap: the published commands, and with the fewer iterations that lose little. */
const arbPresets: readonly Preset[] = [
  { id: 'paper', title: 'As in the paper', parameters: published },
  { id: 'fast', title: 'Fast: 3 iterations', parameters: { ...published, iterations: 3 } },
]

export const methods: readonly Method[] = [
  {
    id: 'rtn',
    title: 'Round to nearest',
    paper: '',
    brief: 'Each weight to the nearest of 2^bits even levels: the baseline to beat.',
    description: [
      'Every weight goes to the nearest of 2^bits evenly spaced levels of its row or group.',
      'Fast, needs no text, and falls apart below 4 bits: the baseline to beat.',
    ],
    stores: 'one code per weight; a scale and, unless symmetric, a zero per row or group',
    ...never,
    parameters: [bits(1, 8), group(-1), symmetric, clipSearch, scaleType],
  },
  {
    id: 'gptq',
    title: 'GPTQ',
    paper: 'arXiv:2210.17323',
    brief: 'Rounds column by column, passes errors on: standard at 3 and 4 bits.',
    description: [
      'Rounds column by column and moves each error onto the columns still to come, weighed by the Hessian.',
      'The standard for 3 and 4 bits, usable at 2.',
    ],
    stores: 'one code per weight; a scale and, unless symmetric, a zero per group; with order hessian the column order',
    ...always,
    parameters: [
      bits(2, 8),
      group(128),
      symmetric,
      clipSearch,
      order('natural'),
      correction(0),
      blocksize,
      damping,
      scaleType,
    ],
    presets: [
      {
        id: 'paper',
        title: "As in the paper's tables",
        parameters: {
          group: 128,
          symmetric: false,
          clip_search: false,
          order: 'natural',
          correction: 0,
          blocksize: 128,
          damping: 0.01,
        },
      },
    ],
  },
  {
    id: 'billm',
    title: 'BiLLM',
    paper: 'arXiv:2402.04291',
    brief: 'Signs with a scale; salient columns get a second sign.',
    description: [
      'Signs with a scale: salient columns get a second sign, the others are split into two groups by size.',
      'About 1.1 bit as the paper counts; about 3 bits with everything that must be stored.',
    ],
    stores: 'two bit planes; a column bitmap; seven scales and means per row and block',
    ...always,
    parameters: [salience, searchSpace, correction(0), blocksize, damping, maxSalient, scaleType],
    presets: [{ id: 'paper', title: 'As in the paper', parameters: searched }],
  },
  {
    id: 'pb-llm',
    title: 'PB-LLM',
    paper: 'arXiv:2310.00034',
    brief: 'A share of the weights keeps 8 bits, all others become signs.',
    description: [
      'A share of the weights, the salient ones wherever they are, keeps 8 bits; all others become signs.',
      'The part of the paper without training; about 2.2 bits in all at a tenth, with everything that must be stored.',
    ],
    stores: 'a bit plane; which weights are salient, and their codes; a mean and a scale per row and group',
    ...always,
    parameters: [
      {
        key: 'salient_share',
        symbol: 'r',
        unit: 'share of weights',
        type: 'number',
        min: 0.01,
        max: 0.5,
        default: 0.1,
        help: 'Weights that keep a code: 0.05 is about 1.7 linear bits, 0.1 about 2.2, 0.2 about 3.3.',
      },
      salience,
      {
        key: 'salient_bits',
        symbol: '',
        unit: 'bits',
        type: 'integer',
        min: 4,
        max: 8,
        default: 8,
        help: "Width of a salient weight's code.",
      },
      group(-1, 'Columns whose salient weights are found together and whose signs share a mean and a scale per row.'),
      {
        key: 'mean_rule',
        symbol: '',
        unit: '',
        type: 'choice',
        choices: ['published', 'least_squares'],
        default: 'published',
        help: 'Means and scales of the signs: published counts salient weights as zeros, least_squares leaves them out.',
      },
      correction(0),
      blocksize,
      damping,
      scaleType,
    ],
  },
  {
    id: 'arb',
    title: 'ARB-LLM',
    paper: 'arXiv:2410.03129',
    brief: 'BiLLM with means, scales and signs refined in turns.',
    description: [
      'BiLLM with means, scales and signs that are refined in turns until they fit each other.',
      'With the column-group bitmap salient columns are split into two groups as well.',
    ],
    stores:
      'two bit planes, one more with splits, one in salient columns with the bitmap; 7 to 20 scales and means per row and block',
    ...always,
    parameters: [
      salience,
      searchSpace,
      correction(0),
      blocksize,
      damping,
      maxSalient,
      columnGroupBitmap,
      splits,
      iterations('Rounds of refining mean, scales and signs in turns.'),
      scaleType,
    ],
    presets: arbPresets,
  },
  {
    id: 'arb-x',
    title: 'ARB-LLM X',
    paper: 'arXiv:2410.03129',
    brief: 'ARB-LLM, refined once more against the inputs of the text.',
    description: [
      'Like ARB-LLM, then means and scales are refined once more, against the inputs of the calibration text.',
      'With the column-group bitmap salient columns are split into two groups as well.',
    ],
    stores:
      'two bit planes, one more with splits, one in salient columns with the bitmap; 7 to 20 scales and means per row and block',
    ...always,
    parameters: [
      salience,
      searchSpace,
      correction(0),
      blocksize,
      damping,
      maxSalient,
      columnGroupBitmap,
      splits,
      iterations('Rounds of refining mean, scales and signs in turns, then as many with the signs kept.'),
      scaleType,
    ],
    presets: arbPresets,
  },
  {
    id: 'arb-rc',
    title: 'ARB-LLM RC',
    paper: 'arXiv:2410.03129',
    brief: 'Signs with row and column scales, refined in turns.',
    description: [
      "Like BiLLM, with scales for rows and for columns that are refined in turns instead of the rows' means.",
      'With the column-group bitmap salient columns are split into two groups as well.',
    ],
    stores:
      'two bit planes, one more with splits, one in salient columns with the bitmap; 4 to 12 scales per row and block; column scales',
    ...always,
    parameters: [
      salience,
      searchSpace,
      correction(0),
      blocksize,
      damping,
      maxSalient,
      columnGroupBitmap,
      splits,
      iterations('Rounds of refining row and column scales in turns.'),
      scaleType,
    ],
    presets: arbPresets,
  },
  {
    id: 'fdb',
    title: 'Flexible Dual Binarization',
    paper: 'arXiv:2402.11960',
    brief: 'Two planes of 0 and 1 with a scale each: four levels per row and group.',
    description: [
      'Two planes of 0 and 1 with a scale each, so four levels per row and group; the part of DB-LLM that needs no training.',
      "No program was published: the search for the first step and the refit of the scales are this project's choices.",
    ],
    stores: 'two bit planes; two scales per row and group',
    ...untrained,
    needsCalibration: (parameters) => parameters['step_rule'] === 'hessian' || parameters['propagation'] === true,
    calibrationHelp: 'Needs a calibration text with step_rule hessian or propagation, else none.',
    parameters: [
      {
        key: 'group',
        symbol: 'g',
        unit: 'columns',
        type: 'integer',
        min: 32,
        max: 128,
        default: 64,
        help: 'Columns of a row that share their two scales.',
      },
      {
        key: 'step_rule',
        symbol: 's',
        unit: '',
        type: 'choice',
        choices: ['max', 'search', 'hessian'],
        default: 'search',
        help: 'The step that the scales start from: half the largest weight, or the best of 30 by squared error; hessian weighs errors, here and in the refit, by the inputs.',
      },
      {
        key: 'propagation',
        symbol: '',
        unit: '',
        type: 'boolean',
        default: false,
        help: 'Moves the errors of each group onto the groups still to come, weighed by the Hessian.',
      },
      damping,
      scaleType,
    ],
    presets: [{ id: 'paper', title: 'As far as the paper is known', parameters: { group: 64, step_rule: 'max' } }],
  },
  {
    id: 'signum-rc',
    title: 'Signum RC',
    paper: '',
    brief: 'Row and column scales fitted to the Hessian, one to three signs.',
    description: [
      'Row and column scales fitted to the Hessian, one sign for every weight and a second one for the columns that matter most.',
      'No bitmaps, so the bits that count are the bits stored: 1.1 to 3.4.',
    ],
    stores:
      'a sign plane, a second and a third one for shares of the columns; row and column scales; with order hessian the column order',
    ...always,
    parameters: [
      {
        key: 'second_plane',
        symbol: 'p',
        unit: 'share of columns',
        type: 'number',
        min: 0,
        max: 1,
        default: 1,
        help: 'Columns that get a second sign: 0 is about 1.13 linear bits, 0.25 about 1.41, 1 about 2.25.',
      },
      {
        key: 'third_plane',
        symbol: 'q',
        unit: 'share of columns',
        type: 'number',
        min: 0,
        max: 1,
        default: 0,
        help: 'Columns that get a third sign, at most second_plane: 0.5 is about 2.81 linear bits, 1 about 3.38.',
      },
      order('hessian'),
      {
        key: 'column_scales',
        symbol: 'c',
        unit: '',
        type: 'boolean',
        default: true,
        help: 'A scale per column beside the row scales.',
      },
      {
        key: 'refits',
        symbol: '',
        unit: '',
        type: 'integer',
        min: 0,
        max: 20,
        default: 4,
        help: 'Rounds of refitting the scales and assigning the signs anew.',
      },
      correction(1),
      blocksize,
      // Ten times the papers': what it is fitted to follows the calibration text closely enough.
      { ...damping, default: 0.1 },
      scaleType,
    ],
  },
]

export function findPreset(method: Method, id: string): Result<Preset> {
  const { presets = [] } = method
  const preset = presets.find((one) => one.id === id)
  if (preset) return success(preset)
  const known = presets.map((one) => one.id)
  const all = known.length === 0 ? 'It has none.' : `Presets: ${known.join(', ')}.`
  return failure('option_invalid', `${method.id} has no preset '${id}'${didYouMean(id, known) || '.'} ${all}`)
}

export function findMethod(id: string): Result<Method> {
  const method = methods.find((one) => one.id === id)
  if (method) return success(method)
  return failure(
    'method_unknown',
    `There is no method '${id}'${didYouMean(id, methodIds) || '.'} Methods: ${methodIds.join(', ')}.`,
  )
}

function findParameter(method: Method, key: string): Result<Parameter> {
  const parameter = method.parameters.find((one) => one.key === key)
  if (parameter) return success(parameter)
  const keys = method.parameters.map((one) => one.key)
  return failure(
    'recipe_invalid',
    `${method.id} has no parameter '${key}'${didYouMean(key, keys) || '.'} Parameters: ${keys.join(', ')}.`,
  )
}

/** All parameters of a method: the given ones checked, the others at their defaults. */
export function resolveParameters(method: Method, given: Readonly<Record<string, unknown>>): Result<Parameters> {
  for (const [key, value] of Object.entries(given)) {
    const parameter = findParameter(method, key)
    if (!parameter.ok) return parameter
    const checked = checkValue(parameter.value, value)
    if (!checked.ok) return checked
  }
  const resolved: Parameters = {}
  for (const { key, default: standard } of method.parameters) {
    resolved[key] = Object.hasOwn(given, key) ? (given[key] as ParameterValue) : standard
  }
  if (Number(resolved['third_plane'] ?? 0) > Number(resolved['second_plane'] ?? 0)) {
    const { second_plane: second, third_plane: third } = resolved
    return failure('recipe_invalid', `third_plane must be at most second_plane (${second}), not ${third}.`)
  }
  return limitTogether(resolved, Object.hasOwn(given, 'max_salient'))
}

/** The limit that blocksize sets for max_salient: a default gives way to it, a chosen value is refused. And no symmetric grid of one bit. */
function limitTogether(parameters: Parameters, chosen: boolean): Result<Parameters> {
  if (parameters['symmetric'] === true && parameters['bits'] === 1) {
    return failure('recipe_invalid', 'symmetric needs bits of at least 2: with 1 every weight becomes 0.')
  }
  const { max_salient: salient, blocksize: width } = parameters
  if (typeof salient !== 'number' || typeof width !== 'number' || salient <= width) return success(parameters)
  if (!chosen) return success({ ...parameters, max_salient: width })
  return failure('recipe_invalid', `max_salient must be a whole number from 2 to blocksize (${width}), not ${salient}.`)
}

/** One `--set key=value`. */
export function readSetting(method: Method, text: string): Result<{ key: string; value: ParameterValue }> {
  const at = text.indexOf('=')
  if (at < 1) return failure('option_invalid', `--set must be followed by key=value, not '${text}'.`)
  const parameter = findParameter(method, text.slice(0, at).trim())
  if (!parameter.ok) return parameter
  const value = readValue(parameter.value, text.slice(at + 1).trim())
  return value.ok ? success({ key: parameter.value.key, value: value.value }) : value
}

/** The parameters that are not as usual. */
export function unusual(method: Method, parameters: Readonly<Parameters>): Parameters {
  const usual = new Map(method.parameters.map((one) => [one.key, one.default]))
  return Object.fromEntries(Object.entries(parameters).filter(([key, value]) => usual.get(key) !== value))
}
