// Names, shapes and sizes of values of every tensor, family by family, as transformers stores them.

export type Config = Readonly<Record<string, unknown>>

/** Values are middle + spread * (a number of variance 1). */
export interface RandomTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly middle: number
  readonly spread: number
}

const linear = (name: string, rows: number, columns: number): RandomTensor => ({
  name: `${name}.weight`,
  shape: [rows, columns],
  middle: 0,
  spread: 1 / Math.sqrt(columns),
})
const bias = (name: string, rows: number): RandomTensor => ({
  name: `${name}.bias`,
  shape: [rows],
  middle: 0,
  spread: 0.4,
})
const norm = (name: string, width: number, middle = 1): RandomTensor => ({
  name: `${name}.weight`,
  shape: [width],
  middle,
  spread: 0.25,
})
const table = (name: string, rows: number, columns: number, spread = 0.5): RandomTensor => ({
  name: `${name}.weight`,
  shape: [rows, columns],
  middle: 0,
  spread,
})

function sizes(config: Config) {
  const number = (key: string, otherwise?: number) => {
    const value = config[key] ?? otherwise
    if (typeof value !== 'number') throw new Error(`${key} is no number`)
    return value
  }
  const hidden = number('hidden_size')
  const heads = number('num_attention_heads')
  const headDim = number('head_dim', hidden / heads)
  return {
    hidden,
    headDim,
    intermediate: number('intermediate_size', 0),
    layers: number('num_hidden_layers'),
    queries: heads * headDim,
    keys: number('num_key_value_heads', heads) * headDim,
    vocabulary: number('vocab_size'),
    number,
  }
}

/** The families that name their parts as LLaMA does. */
export function decoderTensors(
  config: Config,
  parts: { biases?: readonly string[]; headNorms?: boolean; fourNorms?: boolean; normsAround?: number },
): RandomTensor[] {
  const { hidden, headDim, intermediate, layers, queries, keys, vocabulary } = sizes(config)
  const { biases = [], headNorms = false, fourNorms = false, normsAround = 1 } = parts
  const tensors = [table('model.embed_tokens', vocabulary, hidden)]
  for (let layer = 0; layer < layers; layer++) {
    const at = (name: string) => `model.layers.${layer}.${name}`
    const attention = (name: string, rows: number, columns: number) => {
      tensors.push(linear(at(`self_attn.${name}`), rows, columns))
      if (biases.includes(name)) tensors.push(bias(at(`self_attn.${name}`), rows))
    }
    const norms = fourNorms ? ['pre_feedforward_layernorm', 'post_feedforward_layernorm'] : []
    for (const name of ['input_layernorm', 'post_attention_layernorm', ...norms]) {
      tensors.push(norm(at(name), hidden, normsAround))
    }
    attention('q_proj', queries, hidden)
    attention('k_proj', keys, hidden)
    attention('v_proj', keys, hidden)
    attention('o_proj', hidden, queries)
    if (headNorms) {
      tensors.push(norm(at('self_attn.q_norm'), headDim, normsAround))
      tensors.push(norm(at('self_attn.k_norm'), headDim, normsAround))
    }
    tensors.push(linear(at('mlp.gate_proj'), intermediate, hidden))
    tensors.push(linear(at('mlp.up_proj'), intermediate, hidden))
    tensors.push(linear(at('mlp.down_proj'), hidden, intermediate))
  }
  tensors.push(norm('model.norm', hidden, normsAround))
  // Gemma's configurations leave the key out: its default there is true.
  if (config['tie_word_embeddings'] === false) tensors.push(table('lm_head', vocabulary, hidden, 0.2))
  return tensors
}

export function phi3Tensors(config: Config): RandomTensor[] {
  const { hidden, intermediate, layers, queries, keys, vocabulary } = sizes(config)
  const tensors = [table('model.embed_tokens', vocabulary, hidden)]
  for (let layer = 0; layer < layers; layer++) {
    const at = (name: string) => `model.layers.${layer}.${name}`
    tensors.push(
      norm(at('input_layernorm'), hidden),
      linear(at('self_attn.qkv_proj'), queries + 2 * keys, hidden),
      linear(at('self_attn.o_proj'), hidden, queries),
      norm(at('post_attention_layernorm'), hidden),
      linear(at('mlp.gate_up_proj'), 2 * intermediate, hidden),
      linear(at('mlp.down_proj'), hidden, intermediate),
    )
  }
  return [...tensors, norm('model.norm', hidden), table('lm_head', vocabulary, hidden, 0.2)]
}

export function optTensors(config: Config): RandomTensor[] {
  const { hidden, layers, vocabulary, number } = sizes(config)
  const width = number('word_embed_proj_dim')
  const intermediate = number('ffn_dim')
  const decoder = (name: string) => `model.decoder.${name}`
  const tensors = [
    table(decoder('embed_tokens'), vocabulary, width),
    // Two positions more than the context: the first is number 2.
    table(decoder('embed_positions'), number('max_position_embeddings') + 2, hidden, 0.3),
  ]
  const biased = (name: string, rows: number, columns: number) =>
    tensors.push(linear(decoder(name), rows, columns), bias(decoder(name), rows))
  const normed = (name: string) => tensors.push(norm(decoder(name), hidden), bias(decoder(name), hidden))
  for (let layer = 0; layer < layers; layer++) {
    const at = (name: string) => `layers.${layer}.${name}`
    for (const name of ['k_proj', 'v_proj', 'q_proj', 'out_proj']) biased(at(`self_attn.${name}`), hidden, hidden)
    normed(at('self_attn_layer_norm'))
    biased(at('fc1'), intermediate, hidden)
    biased(at('fc2'), hidden, intermediate)
    normed(at('final_layer_norm'))
  }
  if (config['do_layer_norm_before'] === true) normed('final_layer_norm')
  if (width !== hidden) {
    tensors.push(linear(decoder('project_in'), hidden, width), linear(decoder('project_out'), width, hidden))
  }
  return tensors
}
