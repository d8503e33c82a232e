// Every family's forward pass in 64-bit numbers, plainly: one token after the other, one head after the other, as transformers defines it.
// What llama.cpp does not know, or rounds, is judged by this. Rows are tokens.
import type { Config } from './random-tensors.ts'

export interface Tensor {
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
}
export type Tensors = Readonly<Record<string, Tensor>>
type Row = number[]
type Rows = Row[]

/** Logits [tokens][vocabulary]. */
export function forward(config: Config, tensors: Tensors, ids: readonly number[]): Rows {
  const model = { config, tensors }
  return config['model_type'] === 'opt' ? optForward(model, ids) : rotaryForward(model, ids)
}

interface Model {
  readonly config: Config
  readonly tensors: Tensors
}

function numberOf({ config }: Model, key: string, otherwise?: number): number {
  const value = config[key] ?? otherwise
  if (typeof value !== 'number') throw new Error(`${key} is no number`)
  return value
}

const add = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((value, j) => value + b[t]![j]!))
const each = (rows: Rows, change: (value: number) => number): Rows => rows.map((row) => row.map(change))
const softmax = (scores: Row): Row => {
  const top = Math.max(...scores)
  const powers = scores.map((score) => Math.exp(score - top))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}
const capped = (value: number, cap: number) => (cap > 0 ? cap * Math.tanh(value / cap) : value)

/** weight [outputs, inputs], and its bias where there is one. */
function linear({ tensors }: Model, name: string, x: Rows): Rows {
  const weight = tensors[`${name}.weight`]
  if (!weight) throw new Error(`no ${name}.weight`)
  const bias = tensors[`${name}.bias`]?.values
  const [outputs = 0, inputs = 0] = weight.shape
  return x.map((row) =>
    Array.from({ length: outputs }, (_, i) => {
      let sum = bias?.[i] ?? 0
      for (let j = 0; j < inputs; j++) sum += weight.values[i * inputs + j]! * row[j]!
      return sum
    }),
  )
}

const rowsOf = ({ values, shape }: Tensor, ids: readonly number[]): Rows =>
  ids.map((id) => Array.from({ length: shape[1]! }, (_, j) => values[id * shape[1]! + j]!))

interface Attention {
  readonly heads: number
  readonly headDim: number
  readonly scale: number
  /** A token sees so many, itself among them. */
  readonly window: number
  readonly cap: number
}

/** q [tokens][heads * headDim]; k and v may have fewer heads. */
function attend(q: Rows, k: Rows, v: Rows, { heads, headDim, scale, window, cap }: Attention): Rows {
  const group = heads / (k[0]!.length / headDim)
  return q.map((row, t) => {
    const first = Math.max(0, t - window + 1)
    return Array.from({ length: heads }, (_, head) => {
      const [own, shared] = [head * headDim, Math.floor(head / group) * headDim]
      const scores = k.slice(first, t + 1).map((key) => {
        let sum = 0
        for (let j = 0; j < headDim; j++) sum += row[own + j]! * key[shared + j]!
        return capped(sum * scale, cap)
      })
      const shares = softmax(scores)
      return Array.from({ length: headDim }, (_, j) =>
        shares.reduce((sum, share, s) => sum + share * v[first + s]![shared + j]!, 0),
      )
    }).flat()
  })
}

function rmsNorm(model: Model, name: string, x: Rows): Rows {
  const gain = model.tensors[`${name}.weight`]!.values
  const plus = String(model.config['model_type']).startsWith('gemma') ? 1 : 0
  const epsilon = numberOf(model, 'rms_norm_eps', 1e-6)
  return x.map((row) => {
    const size = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + epsilon)
    return row.map((value, j) => (value / size) * (plus + gain[j]!))
  })
}

/** The norm of each head by itself, where there is one. */
function headNorm(model: Model, name: string, x: Rows, headDim: number): Rows {
  if (!model.tensors[`${name}.weight`]) return x
  return x.map((row) => {
    const heads = Array.from({ length: row.length / headDim }, (_, i) => row.slice(i * headDim, (i + 1) * headDim))
    return rmsNorm(model, name, heads).flat()
  })
}

interface Rope {
  readonly theta: number
  /** As rope_scaling has it; null: none. */
  readonly scaling: Record<string, unknown> | null
}

function frequency({ theta, scaling }: Rope, i: number, headDim: number): number {
  const plain = theta ** ((-2 * i) / headDim)
  const value = (key: string) => scaling?.[key] as number
  switch (scaling?.['rope_type'] ?? scaling?.['type'] ?? 'default') {
    case 'default':
      return plain
    case 'linear':
      return plain / value('factor')
    case 'llama3': {
      const turns = (value('original_max_position_embeddings') * plain) / (2 * Math.PI)
      const [low, high] = [value('low_freq_factor'), value('high_freq_factor')]
      const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)))
      return (1 - kept) * (plain / value('factor')) + kept * plain
    }
    default:
      throw new Error(`scaling ${JSON.stringify(scaling)}`)
  }
}

/** Element i of a head turns with element i + headDim / 2. */
const turned = (x: Rows, headDim: number, rope: Rope): Rows =>
  x.map((row, t) =>
    row.map((value, at) => {
      const i = at % headDim
      const half = headDim / 2
      const angle = t * frequency(rope, i % half, headDim)
      const other = i < half ? -row[at + half]! : row[at - half]!
      return value * Math.cos(angle) + other * Math.sin(angle)
    }),
  )

const silu = (x: number) => x / (1 + Math.exp(-x))
const geluTanh = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

/** Whether layer `layer` sees a window only. */
function windowed({ config }: Model, layer: number): boolean {
  const types = config['layer_types'] as string[] | undefined
  if (types) return types[layer] === 'sliding_attention'
  switch (config['model_type']) {
    case 'mistral':
    case 'phi3':
      return true
    case 'qwen2':
    case 'qwen3':
      return config['use_sliding_window'] === true && layer >= (config['max_window_layers'] as number)
    case 'gemma2':
      return layer % 2 === 0
    case 'gemma3_text':
      return (layer + 1) % (config['sliding_window_pattern'] as number) !== 0
    default:
      return false
  }
}

function ropeOf(model: Model, local: boolean): Rope {
  const { config } = model
  const parameters = config['rope_parameters'] as Record<string, Rope['scaling']> | undefined
  if (parameters) {
    const own = parameters[local ? 'sliding_attention' : 'full_attention']!
    return { theta: own['rope_theta'] as number, scaling: own }
  }
  if (local && config['rope_local_base_freq'] !== undefined) {
    return { theta: numberOf(model, 'rope_local_base_freq'), scaling: null }
  }
  return { theta: numberOf(model, 'rope_theta'), scaling: config['rope_scaling'] as Rope['scaling'] }
}

function rotaryForward(model: Model, ids: readonly number[]): Rows {
  const { config, tensors } = model
  const gemma = String(config['model_type']).startsWith('gemma')
  const hidden = numberOf(model, 'hidden_size')
  const heads = numberOf(model, 'num_attention_heads')
  const headDim = numberOf(model, 'head_dim', hidden / heads)
  const queries = heads * headDim
  const keys = numberOf(model, 'num_key_value_heads') * headDim
  const act = gemma ? geluTanh : silu
  const slice = (rows: Rows, begin: number, end: number) => rows.map((row) => row.slice(begin, end))

  let h = each(rowsOf(tensors['model.embed_tokens.weight']!, ids), (value) => value * (gemma ? Math.sqrt(hidden) : 1))
  for (let layer = 0; layer < numberOf(model, 'num_hidden_layers'); layer++) {
    const at = (name: string) => `model.layers.${layer}.${name}`
    const local = windowed(model, layer)
    const rope = ropeOf(model, local)
    const fused = tensors[`${at('self_attn.qkv_proj')}.weight`] !== undefined

    const x = rmsNorm(model, at('input_layernorm'), h)
    const all = fused ? linear(model, at('self_attn.qkv_proj'), x) : []
    const part = (name: string, begin: number, end: number) =>
      fused ? slice(all, begin, end) : linear(model, at(`self_attn.${name}_proj`), x)
    const normed = (name: string, rows: Rows) => headNorm(model, at(`self_attn.${name}_norm`), rows, headDim)
    const q = turned(normed('q', part('q', 0, queries)), headDim, rope)
    const k = turned(normed('k', part('k', queries, queries + keys)), headDim, rope)
    const v = part('v', queries + keys, queries + 2 * keys)
    const seen = attend(q, k, v, {
      heads,
      headDim,
      scale: numberOf(model, 'query_pre_attn_scalar', headDim) ** -0.5,
      window: local ? numberOf(model, 'sliding_window', Infinity) : Infinity,
      cap: numberOf(model, 'attn_logit_softcapping', 0),
    })
    const attended = linear(model, at('self_attn.o_proj'), seen)
    h = add(h, gemma ? rmsNorm(model, at('post_attention_layernorm'), attended) : attended)

    const y = rmsNorm(model, at(gemma ? 'pre_feedforward_layernorm' : 'post_attention_layernorm'), h)
    const both = fused ? linear(model, at('mlp.gate_up_proj'), y) : []
    const width = numberOf(model, 'intermediate_size')
    const gate = fused ? slice(both, 0, width) : linear(model, at('mlp.gate_proj'), y)
    const up = fused ? slice(both, width, 2 * width) : linear(model, at('mlp.up_proj'), y)
    const inner = gate.map((row, t) => row.map((value, j) => act(value) * up[t]![j]!))
    const fed = linear(model, at('mlp.down_proj'), inner)
    h = add(h, gemma ? rmsNorm(model, at('post_feedforward_layernorm'), fed) : fed)
  }
  const head = tensors['lm_head.weight'] ? 'lm_head' : 'model.embed_tokens'
  const logits = linear(model, head, rmsNorm(model, 'model.norm', h))
  return each(logits, (value) => capped(value, numberOf(model, 'final_logit_softcapping', 0)))
}

function layerNorm({ tensors }: Model, name: string, x: Rows): Rows {
  const [gain, bias] = [tensors[`${name}.weight`]!.values, tensors[`${name}.bias`]!.values]
  return x.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length
    return row.map((value, j) => ((value - mean) / Math.sqrt(variance + 1e-5)) * gain[j]! + bias[j]!)
  })
}

function optForward(model: Model, ids: readonly number[]): Rows {
  const { config, tensors } = model
  const heads = numberOf(model, 'num_attention_heads')
  const headDim = numberOf(model, 'hidden_size') / heads
  const before = config['do_layer_norm_before'] !== false
  const at = (name: string) => `model.decoder.${name}`
  const projected = (name: string, rows: Rows) => (tensors[`${at(name)}.weight`] ? linear(model, at(name), rows) : rows)

  const words = projected('project_in', rowsOf(tensors[at('embed_tokens.weight')]!, ids))
  // The first position is number 2.
  let h = add(
    words,
    rowsOf(
      tensors[at('embed_positions.weight')]!,
      ids.map((_, t) => t + 2),
    ),
  )
  const branch = (norm: string, compute: (x: Rows) => Rows) => {
    h = add(h, compute(before ? layerNorm(model, norm, h) : h))
    if (!before) h = layerNorm(model, norm, h)
  }
  for (let layer = 0; layer < numberOf(model, 'num_hidden_layers'); layer++) {
    const part = (name: string) => at(`layers.${layer}.${name}`)
    branch(part('self_attn_layer_norm'), (x) => {
      const [q, k, v] = ['q', 'k', 'v'].map((name) => linear(model, part(`self_attn.${name}_proj`), x))
      const seen = attend(q!, k!, v!, { heads, headDim, scale: headDim ** -0.5, window: Infinity, cap: 0 })
      return linear(model, part('self_attn.out_proj'), seen)
    })
    branch(part('final_layer_norm'), (x) =>
      linear(
        model,
        part('fc2'),
        each(linear(model, part('fc1'), x), (value) => Math.max(0, value)),
      ),
    )
  }
  if (before && config['_remove_final_layer_norm'] !== true) h = layerNorm(model, at('final_layer_norm'), h)
  return linear(model, at('embed_tokens'), projected('project_out', h))
}
