// Small random models of every family, as Hugging Face folders: config.json as transformers writes it, model.safetensors (F32),
// a tokenizer. Sizes that llama.cpp takes; weights so large that every part of a family matters in the logits.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { llama, mistral, qwen2, qwen3, gemma2, gemma3, phi3, opt } from './random-configs.ts'
import { type Config, type RandomTensor, decoderTensors, optTensors, phi3Tensors } from './random-tensors.ts'
import { bell, uniform } from './random.ts'
import { safetensorsBytes, type TensorBytes } from './safetensors.ts'
import {
  gemmaTokenizer,
  llama3Tokenizer,
  llamaTokenizer,
  optTokenizer,
  phi3Tokenizer,
  qwenTokenizer,
  smolTokenizer,
  type TokenizerFiles,
} from './small-tokenizers.ts'

interface RandomModel {
  /** Without vocab_size: that is the tokenizer's, rounded up to a multiple of 16 as some families do (`padded`). */
  readonly config: Config
  readonly tokenizer: () => TokenizerFiles
  readonly tensors: (config: Config) => RandomTensor[]
  readonly padded?: boolean
}

const decoder =
  (parts: Parameters<typeof decoderTensors>[1] = {}) =>
  (config: Config) =>
    decoderTensors(config, parts)
const qwen2Parts = { biases: ['q_proj', 'k_proj', 'v_proj'] }
const gemma2Parts = { normsAround: 0, fourNorms: true }

const models = {
  llama: { config: llama, tokenizer: llamaTokenizer, tensors: decoder() },
  'llama-grouped': { config: { ...llama, num_key_value_heads: 2 }, tokenizer: llamaTokenizer, tensors: decoder() },
  'llama-tied': { config: { ...llama, tie_word_embeddings: true }, tokenizer: llamaTokenizer, tensors: decoder() },
  'llama-linear': {
    config: { ...llama, rope_scaling: { type: 'linear', factor: 4.0 } },
    tokenizer: llamaTokenizer,
    tensors: decoder(),
  },
  // Wave lengths on both sides of the two limits (64 / 4 and 64 / 1) and between.
  'llama-3': {
    config: {
      ...llama,
      bos_token_id: 496,
      eos_token_id: 497,
      head_dim: 32,
      num_key_value_heads: 2,
      rope_scaling: {
        factor: 8.0,
        high_freq_factor: 4.0,
        low_freq_factor: 1.0,
        original_max_position_embeddings: 64,
        rope_type: 'llama3',
      },
      rope_theta: 500000.0,
      tie_word_embeddings: true,
    },
    tokenizer: llama3Tokenizer,
    tensors: decoder(),
  },
  smollm2: {
    config: {
      ...llama,
      bos_token_id: 0,
      eos_token_id: 0,
      hidden_size: 96,
      intermediate_size: 256,
      is_llama_config: true,
      num_attention_heads: 3,
      num_key_value_heads: 1,
      rope_interleaved: false,
      rope_theta: 100000,
      tie_word_embeddings: true,
    },
    tokenizer: smolTokenizer,
    tensors: decoder(),
  },
  tinyllama: {
    config: { ...llama, hidden_size: 256, intermediate_size: 512, num_attention_heads: 8, num_key_value_heads: 1 },
    tokenizer: llamaTokenizer,
    tensors: decoder(),
  },
  mistral: { config: mistral, tokenizer: llamaTokenizer, tensors: decoder() },
  qwen2: { config: qwen2, tokenizer: qwenTokenizer, tensors: decoder(qwen2Parts), padded: true },
  qwen3: { config: qwen3, tokenizer: qwenTokenizer, tensors: decoder({ headNorms: true }), padded: true },
  'gemma-2': { config: gemma2, tokenizer: gemmaTokenizer, tensors: decoder(gemma2Parts) },
  'gemma-3': { config: gemma3, tokenizer: gemmaTokenizer, tensors: decoder({ ...gemma2Parts, headNorms: true }) },
  // Its larger models stretch the positions of the global layers; written as transformers 5 does.
  'gemma-3-linear': {
    config: {
      ...Object.fromEntries(Object.entries(gemma3).filter(([key]) => !/^rope_|_pattern$|^torch_dtype$/.test(key))),
      dtype: 'float32',
      _sliding_window_pattern: 6,
      layer_types: Array.from({ length: 7 }, (_, i) => (i % 6 === 5 ? 'full_attention' : 'sliding_attention')),
      rope_parameters: {
        full_attention: { factor: 8.0, rope_theta: 1000000.0, rope_type: 'linear' },
        sliding_attention: { rope_theta: 10000.0, rope_type: 'default' },
      },
      tie_word_embeddings: true,
      transformers_version: '5.0.0',
    },
    tokenizer: gemmaTokenizer,
    tensors: decoder({ ...gemma2Parts, headNorms: true }),
  },
  'phi-3': { config: phi3, tokenizer: phi3Tokenizer, tensors: phi3Tensors, padded: true },
  opt: { config: opt, tokenizer: optTokenizer, tensors: optTensors },
  // As OPT-350m: norms after each part, no norm at the end, embeddings narrower than the stream.
  'opt-post-norm': {
    config: { ...opt, do_layer_norm_before: false, word_embed_proj_dim: 96 },
    tokenizer: optTokenizer,
    tensors: optTensors,
  },
} satisfies Record<string, RandomModel>

export type RandomModelName = keyof typeof models
export const randomModelNames = Object.keys(models) as RandomModelName[]

/** The configuration as it is written. */
export function randomConfig(name: RandomModelName): Config {
  const model: RandomModel = models[name]
  const { size } = model.tokenizer()
  return { ...model.config, vocab_size: model.padded ? Math.ceil((size + 1) / 16) * 16 : size }
}

/** Every tensor of the model, F32, the same in every run. */
export function randomTensors(name: RandomModelName): Record<string, TensorBytes & { values: Float32Array }> {
  const model: RandomModel = models[name]
  const next = uniform(20260 + randomModelNames.indexOf(name))
  const tensors = model.tensors(randomConfig(name)).map(({ name, shape, middle, spread }) => {
    const values = new Float32Array(shape.reduce((product, side) => product * side, 1))
    for (let i = 0; i < values.length; i++) values[i] = middle + spread * bell(next)
    return [name, { dtype: 'F32', shape, values, bytes: new Uint8Array(values.buffer) }] as const
  })
  return Object.fromEntries(tensors)
}

/** Writes the folder, made where it is not there. */
export async function writeRandomModel(folder: string, name: RandomModelName): Promise<void> {
  const { file, settings } = models[name].tokenizer()
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'config.json'), json(randomConfig(name)))
  await writeFile(path.join(folder, 'tokenizer.json'), json(file))
  await writeFile(path.join(folder, 'tokenizer_config.json'), json(settings))
  await writeFile(path.join(folder, 'model.safetensors'), safetensorsBytes(randomTensors(name), { format: 'pt' }))
}
