// `npm run bench -- model [METHOD ...]`: minutes and memory for a whole model of 1.1 billion random weights (TinyLlama's
// shape), calibrated on 8 x 512 random tokens. What is in the weights changes the time little: every search is exhaustive.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { capture, inRoot, projectNode, Refusal } from './node.mjs'
import { random } from './random.mjs'

const shape = { hidden: 2048, intermediate: 5632, layers: 22, heads: 32, keyValueHeads: 4, vocabulary: 32000 }
const calibration = { sequences: 8, length: 512 }
const spread = 0.02 // standard deviation of the weights
const needed = 6e9 // bytes of disk: the model, and one run at a time
const usual = ['gptq', 'billm', 'arb-rc', 'signum-rc']

/** @param {string[]} methods */
export async function benchModel(methods) {
  const folder = mkdtempSync(path.join(tmpdir(), 'signum-bench-'))
  try {
    const { bavail, bsize } = statfsSync(folder)
    if (bavail * bsize < needed) throw new Refusal('disk_full', `${folder} needs ${needed / 1e9} GB of free disk.`)
    console.log(`Writing a random model of TinyLlama's shape to ${folder} ...`)
    const weights = writeModel(path.join(folder, 'model'))
    writeTokens(path.join(folder, 'tokens.u32'))
    console.log(
      `${(weights / 1e9).toFixed(2)} billion weights, ${calibration.sequences} x ${calibration.length} tokens`,
    )
    for (const method of methods.length > 0 ? methods : usual) await one(folder, method)
    return 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** One run, printed. @param {string} folder @param {string} method */
async function one(folder, method) {
  const out = path.join(folder, 'run')
  const { code, output } = await capture(projectNode(), [
    inRoot('bin', 'signum.mjs'),
    'quantize',
    path.join(folder, 'model'),
    ...['--method', method, '--out', out, '--data', path.join(folder, 'data'), '--json'],
    ...['--calibration', path.join(folder, 'tokens.u32')],
    ...['--sequences', String(calibration.sequences), '--length', String(calibration.length)],
  ])
  if (code !== 0) throw new Refusal('run_failed', output)
  const report = JSON.parse(output.slice(output.startsWith('{') ? 0 : output.indexOf('\n{')))
  const phases = Object.entries(report.seconds).map(([phase, seconds]) => `${phase} ${seconds.toFixed(1)}`)
  const all = Object.values(report.seconds).reduce((sum, seconds) => sum + seconds, 0)
  const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(2)} GB`
  console.log(
    `${method.padEnd(10)} ${(all / 60).toFixed(2)} min, ${gigabytes(report.peak_resident_bytes)} at most, ` +
      `file ${gigabytes(report.sizes.file_bytes)} (${report.bits.linear.toFixed(2)} linear bits); seconds: ${phases.join(', ')}`,
  )
  rmSync(out, { recursive: true })
}

/** Writes a BF16 checkpoint in one file. @param {string} folder @returns {number} weights */
function writeModel(folder) {
  const { hidden, intermediate, layers, heads, keyValueHeads, vocabulary } = shape
  const keyValues = (hidden / heads) * keyValueHeads
  const linears = {
    'self_attn.q_proj': [hidden, hidden],
    'self_attn.k_proj': [keyValues, hidden],
    'self_attn.v_proj': [keyValues, hidden],
    'self_attn.o_proj': [hidden, hidden],
    'mlp.gate_proj': [intermediate, hidden],
    'mlp.up_proj': [intermediate, hidden],
    'mlp.down_proj': [hidden, intermediate],
  }
  /** @type {Record<string, number[]>} */
  const shapes = { 'model.embed_tokens.weight': [vocabulary, hidden] }
  for (let layer = 0; layer < layers; layer += 1) {
    for (const [name, sides] of Object.entries(linears)) shapes[`model.layers.${layer}.${name}.weight`] = sides
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
      shapes[`model.layers.${layer}.${norm}.weight`] = [hidden]
    }
  }
  Object.assign(shapes, { 'model.norm.weight': [hidden], 'lm_head.weight': [vocabulary, hidden] })
  mkdirSync(folder)
  writeFileSync(
    path.join(folder, 'config.json'),
    JSON.stringify({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: hidden,
      intermediate_size: intermediate,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: keyValueHeads,
      vocab_size: vocabulary,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      torch_dtype: 'bfloat16',
    }),
  )
  return writeTensors(path.join(folder, 'model.safetensors'), shapes)
}

/** @param {string} file @param {Record<string, number[]>} shapes @returns {number} elements */
function writeTensors(file, shapes) {
  const size = (/** @type {number[]} */ sides) => sides.reduce((product, side) => product * side, 1)
  /** @type {Record<string, object>} */
  const header = {}
  let end = 0
  for (const [name, sides] of Object.entries(shapes)) {
    const begin = end
    end += 2 * size(sides)
    header[name] = { dtype: 'BF16', shape: sides, data_offsets: [begin, end] }
  }
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const handle = openSync(file, 'w')
  try {
    writeSync(handle, length)
    writeSync(handle, json)
    const pool = normals(1 << 24)
    for (const [index, sides] of Object.values(shapes).entries()) {
      if (sides.length === 1)
        writeSync(handle, new Uint16Array(size(sides)).fill(0x3f80)) // ones
      else writeRandom(handle, pool, size(sides), index)
    }
  } finally {
    closeSync(handle)
  }
  return end / 2
}

/** Cuts of one pool of random weights, from another place for every tensor. @param {number} handle @param {Uint16Array} pool @param {number} count @param {number} index */
function writeRandom(handle, pool, count, index) {
  let start = (index * 7919 * 101) % pool.length
  for (let left = count; left > 0; start = 0) {
    const cut = pool.subarray(start, start + left)
    writeSync(handle, cut)
    left -= cut.length
  }
}

/** BF16 numbers of a normal distribution. @param {number} count */
function normals(count) {
  const next = random(1)
  const values = new Float32Array(count)
  for (let i = 0; i < count; i += 1) {
    values[i] = spread * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  }
  return Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16)
}

/** @param {string} file */
function writeTokens(file) {
  const next = random(2)
  writeFileSync(
    file,
    Uint32Array.from({ length: calibration.sequences * calibration.length }, () =>
      Math.floor(next() * shape.vocabulary),
    ),
  )
}
