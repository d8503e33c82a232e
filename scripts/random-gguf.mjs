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

/** Little-endian parts of a header. */
class Header {
  /** @type {Buffer[]} */
  parts = []
  /** @param {number} value */
  u32(value) {
    this.parts.push(Buffer.from(Uint32Array.of(value).buffer))
  }
  /** @param {number} value */
  u64(value) {
    this.parts.push(Buffer.from(BigUint64Array.of(BigInt(value)).buffer))
  }
  /** @param {number} value */
  f32(value) {
    this.parts.push(Buffer.from(Float32Array.of(value).buffer))
  }
  /** @param {string} text */
  string(text) {
    this.u64(Buffer.byteLength(text))
    this.parts.push(Buffer.from(text))
  }
}

const [uint32, int32, float32, text, array] = [4, 5, 6, 8, 9] // kinds of metadata

/** @param {Shape} shape @param {Tensor[]} tensors */
function headerOf(shape, tensors) {
  const header = new Header()
  const numbers = /** @type {const} */ ([
    ['llama.context_length', uint32, shape.context],
    ['llama.embedding_length', uint32, shape.hidden],
    ['llama.feed_forward_length', uint32, shape.intermediate],
    ['llama.block_count', uint32, shape.layers],
    ['llama.attention.head_count', uint32, shape.heads],
    ['llama.attention.head_count_kv', uint32, shape.keyValueHeads],
    ['llama.attention.layer_norm_rms_epsilon', float32, 1e-5],
    ['llama.vocab_size', uint32, shape.vocabulary],
  ])
  const texts = [
    ['general.architecture', 'llama'],
    ['tokenizer.ggml.model', 'llama'],
  ]
  const lists = /** @type {const} */ ([
    ['tokenizer.ggml.tokens', text, (/** @type {number} */ id) => header.string(nameOf(id))],
    ['tokenizer.ggml.token_type', int32, (/** @type {number} */ id) => header.u32(kindOf(id))],
    ['tokenizer.ggml.scores', float32, (/** @type {number} */ id) => header.f32(-id)],
  ])
  header.parts.push(Buffer.from('GGUF'))
  header.u32(3)
  header.u64(tensors.length)
  header.u64(texts.length + numbers.length + lists.length)
  for (const [key, value] of texts) {
    header.string(/** @type {string} */ (key))
    header.u32(text)
    header.string(/** @type {string} */ (value))
  }
  for (const [key, kind, value] of numbers) {
    header.string(key)
    header.u32(kind)
    if (kind === uint32) header.u32(value)
    else header.f32(value)
  }
  for (const [key, kind, one] of lists) {
    header.string(key)
    header.u32(array)
    header.u32(kind)
    header.u64(shape.vocabulary)
    for (let id = 0; id < shape.vocabulary; id++) one(id)
  }
  let offset = 0
  for (const tensor of tensors) {
    header.string(tensor.name)
    header.u32(tensor.sides.length)
    for (const side of tensor.sides) header.u64(side)
    header.u32(/** @type {(typeof types)[string]} */ (types[tensor.type]).id)
    header.u64(offset)
    offset += bytesOf(tensor) + (-bytesOf(tensor) & (alignment - 1))
  }
  return Buffer.concat(header.parts)
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
