// A GGUF file of a LLaMA of any shape with random weights, for measuring speed: nothing that it writes makes sense.
import { closeSync, openSync, writeSync } from 'node:fs'
import { random } from './random.mjs'

/**
 * ggml's number of a type, values and bytes of a block, and where a block's F16 scales lie.
 * @type {Record<string, { id: number, values: number, bytes: number, scales: number[] }>}
 */
const types = {
  F32: { id: 0, values: 1, bytes: 4, scales: [] },
  F16: { id: 1, values: 1, bytes: 2, scales: [0] },
  Q4_0: { id: 2, values: 32, bytes: 18, scales: [0] },
  Q8_0: { id: 8, values: 32, bytes: 34, scales: [0] },
  Q2_K: { id: 10, values: 256, bytes: 84, scales: [80, 82] },
  TQ1_0: { id: 34, values: 256, bytes: 54, scales: [52] },
  TQ2_0: { id: 35, values: 256, bytes: 66, scales: [64] },
  Q1_0: { id: 41, values: 128, bytes: 18, scales: [0] },
}
const alignment = 32

/** @typedef {{ hidden: number, intermediate: number, layers: number, heads: number, keyValueHeads: number, vocabulary: number, context: number }} Shape */

/** @param {string} file @param {Shape} shape @param {string} matrices type @param {string} tables type of embeddings and head */
export function writeRandomGguf(file, shape, matrices, tables) {
  const tensors = tensorsOf(shape, matrices, tables)
  const to = openSync(file, 'w')
  try {
    const header = headerOf(shape, tensors)
    let at = writeSync(to, header)
    for (const { type, elements } of tensors) {
      at += writeSync(to, Buffer.alloc(-at & (alignment - 1)))
      at += writeBlocks(to, type, elements)
    }
  } finally {
    closeSync(to)
  }
}

/** @typedef {{ name: string, sides: number[], type: string, elements: number }} Tensor */

/** @param {Shape} shape @param {string} matrices @param {string} tables @returns {Tensor[]} */
function tensorsOf(shape, matrices, tables) {
  const { hidden, intermediate, layers, heads, keyValueHeads, vocabulary } = shape
  const keyValues = (hidden / heads) * keyValueHeads
  /** @param {string} name @param {string} type @param {number[]} sides columns first */
  const tensor = (name, type, ...sides) => ({ name, type, sides, elements: sides.reduce((a, b) => a * b, 1) })
  /** @param {string} name @param {number} columns @param {number} rows */
  const matrix = (name, columns, rows) => tensor(`${name}.weight`, matrices, columns, rows)
  const blocks = Array.from({ length: layers }, (_, i) => [
    tensor(`blk.${i}.attn_norm.weight`, 'F32', hidden),
    matrix(`blk.${i}.attn_q`, hidden, hidden),
    matrix(`blk.${i}.attn_k`, hidden, keyValues),
    matrix(`blk.${i}.attn_v`, hidden, keyValues),
    matrix(`blk.${i}.attn_output`, hidden, hidden),
    tensor(`blk.${i}.ffn_norm.weight`, 'F32', hidden),
    matrix(`blk.${i}.ffn_gate`, hidden, intermediate),
    matrix(`blk.${i}.ffn_up`, hidden, intermediate),
    matrix(`blk.${i}.ffn_down`, intermediate, hidden),
  ])
  return [
    tensor('token_embd.weight', tables, hidden, vocabulary),
    ...blocks.flat(),
    tensor('output_norm.weight', 'F32', hidden),
    tensor('output.weight', tables, hidden, vocabulary),
  ]
}

/** @param {Tensor} tensor */
const bytesOf = ({ type, elements }) => {
  const { values, bytes } = /** @type {(typeof types)[string]} */ (types[type])
  return (elements / values) * bytes
}

// A vocabulary as llama.cpp wants one: three marks, a token for every byte, then any others.
const marks = ['<unk>', '<s>', '</s>']
const nameOf = (/** @type {number} */ id) =>
  marks[id] ?? (id < 259 ? `<0x${(id - 3).toString(16).toUpperCase().padStart(2, '0')}>` : `t${id}`)
const [normal, unknown, control, byte] = [1, 2, 3, 6]
const kindOf = (/** @type {number} */ id) => (id === 0 ? unknown : id < 3 ? control : id < 259 ? byte : normal)

/** @param {Shape} shape @param {Tensor[]} tensors */
function headerOf(shape, tensors) {
  /** @type {Buffer[]} */
  const parts = []
  const u32 = (/** @type {number} */ value) => parts.push(Buffer.from(Uint32Array.of(value).buffer))
  const u64 = (/** @type {number} */ value) => parts.push(Buffer.from(BigUint64Array.of(BigInt(value)).buffer))
  const f32 = (/** @type {number} */ value) => parts.push(Buffer.from(Float32Array.of(value).buffer))
  const string = (/** @type {string} */ text) => (u64(Buffer.byteLength(text)), parts.push(Buffer.from(text)))
  const [uint32, int32, float32, text, array] = [4, 5, 6, 8, 9]
  const pairs = {
    'general.architecture': () => (u32(text), string('llama')),
    'llama.context_length': () => (u32(uint32), u32(shape.context)),
    'llama.embedding_length': () => (u32(uint32), u32(shape.hidden)),
    'llama.feed_forward_length': () => (u32(uint32), u32(shape.intermediate)),
    'llama.block_count': () => (u32(uint32), u32(shape.layers)),
    'llama.attention.head_count': () => (u32(uint32), u32(shape.heads)),
    'llama.attention.head_count_kv': () => (u32(uint32), u32(shape.keyValueHeads)),
    'llama.attention.layer_norm_rms_epsilon': () => (u32(float32), f32(1e-5)),
    'llama.vocab_size': () => (u32(uint32), u32(shape.vocabulary)),
    'tokenizer.ggml.model': () => (u32(text), string('llama')),
    'tokenizer.ggml.tokens': () => {
      ;(u32(array), u32(text), u64(shape.vocabulary))
      for (let id = 0; id < shape.vocabulary; id++) string(nameOf(id))
    },
    'tokenizer.ggml.token_type': () => {
      ;(u32(array), u32(int32), u64(shape.vocabulary))
      for (let id = 0; id < shape.vocabulary; id++) u32(kindOf(id))
    },
    'tokenizer.ggml.scores': () => {
      ;(u32(array), u32(float32), u64(shape.vocabulary))
      for (let id = 0; id < shape.vocabulary; id++) f32(-id)
    },
  }
  parts.push(Buffer.from('GGUF'))
  ;(u32(3), u64(tensors.length), u64(Object.keys(pairs).length))
  for (const [key, value] of Object.entries(pairs)) (string(key), value())
  let offset = 0
  for (const tensor of tensors) {
    string(tensor.name)
    u32(tensor.sides.length)
    for (const side of tensor.sides) u64(side)
    u32(/** @type {(typeof types)[string]} */ (types[tensor.type]).id)
    u64(offset)
    offset += bytesOf(tensor) + (-bytesOf(tensor) & (alignment - 1))
  }
  return Buffer.concat(parts)
}

const mostBlocks = 4096 // written at a time

/** Random bytes with small scales; F32 (norms) are ones. @param {number} to @param {string} type @param {number} elements */
function writeBlocks(to, type, elements) {
  const { values, bytes, scales } = /** @type {(typeof types)[string]} */ (types[type])
  const buffer = Buffer.alloc(mostBlocks * bytes)
  const next = random(1)
  if (type === 'F32') new Float32Array(buffer.buffer, buffer.byteOffset, mostBlocks).fill(1)
  else for (let i = 0; i < buffer.length; i++) buffer[i] = next() * 256
  for (let block = 0; block < mostBlocks && type !== 'F32'; block++)
    for (const scale of scales) buffer.writeUInt16LE(0x2000 + (next() < 0.5 ? 0x8000 : 0), block * bytes + scale) // +-2^-7
  let written = 0
  for (let left = elements / values; left > 0; left -= mostBlocks)
    written += writeSync(to, buffer, 0, Math.min(left, mostBlocks) * bytes)
  return written
}
