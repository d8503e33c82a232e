#!/usr/bin/env node
// Stands in for the native worker in tests: prints protocol lines and behaves, or misbehaves, as SIGNUM_FAKE says
// (a comma-separated list). It never computes anything.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const [command = '', , jobFile = ''] = process.argv.slice(2)
const job = JSON.parse(readFileSync(jobFile, 'utf8'))
const manners = new Set((process.env['SIGNUM_FAKE'] ?? '').split(','))
const started = performance.now()
let seq = 0
const say = (/** @type {string} */ event, fields = {}) =>
  console.log(JSON.stringify({ seq: seq++, elapsed: (performance.now() - started) / 1000, event, ...fields }))
const end = (/** @type {number} */ code) => process.exit(code)
const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))

let stopping = false
let input = ''
let wake = () => {}
process.stdin.setEncoding('utf8').on('data', (text) => {
  input += text
  if (input.includes('"stop"')) stopping = true
  wake()
})
const cancel = () => {
  if (manners.has('deaf')) return
  say('cancelled')
  end(4)
}
process.stdin.on('end', cancel)
process.on('SIGTERM', cancel)

const kinds = { q_proj: [256, 256], k_proj: [128, 256], v_proj: [128, 256], o_proj: [256, 256] }
const layers = 2
const linears = Array.from({ length: layers }, (_, layer) =>
  Object.entries(kinds).map(([kind, [rows, columns]]) => ({
    name: `model.layers.${layer}.self_attn.${kind}`,
    layer,
    kind,
    rows,
    columns,
  })),
).flat()

function inspect() {
  const config = path.join(job.model, 'config.json')
  if (!existsSync(config)) {
    say('failed', { code: 'not_a_model_folder', message: `${job.model} has no config.json.`, detail: '' })
    end(1)
  }
  const weights = path.join(job.model, 'model.safetensors')
  const bytes = existsSync(weights) ? statSync(weights).size : 0
  const packed = existsSync(path.join(job.model, 'model.safetensors.index.json'))
  return {
    path: job.model,
    architecture: 'LlamaForCausalLM',
    packed,
    parameters: 900_000,
    layers,
    hidden: 256,
    intermediate: 768,
    heads: 4,
    kv_heads: 2,
    vocabulary: 2048,
    context: 256,
    tied: true,
    dtype: 'F16',
    bytes,
    files: [{ name: 'model.safetensors', bytes }],
    linears,
  }
}

const report = (/** @type {object | undefined} */ linear) => ({
  ...linear,
  nominal_bits: 2,
  linear_bits: 2.1,
  bytes: 1000,
  relative_weight_error: 0.5,
  relative_output_error: 0.4,
  salient_columns: null,
  plane1_sparsity: null,
  plane2_sparsity: null,
  seconds: 0.01,
})

async function quantize() {
  const state = path.join(job.run, 'state.json')
  const from = job.resume && existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')).layers : 0
  say('plan', { layers, linears: linears.length, weights: 1000, resumed_layers: from })
  mkdirSync(path.join(job.run, 'packed'), { recursive: true })
  for (let layer = from; layer < layers; layer++) {
    if (manners.has('crash-late') && layer === 1) end(139)
    say('progress', { phase: 'quantize', done: layer, total: layers, unit: 'layers', eta: null })
    for (const linear of linears.filter((one) => one.layer === layer)) say('layer', report(linear))
    writeFileSync(state, JSON.stringify({ layers: layer + 1 }))
    say('saved', { layer, file: `model-0000${layer + 1}-of-00003.safetensors`, bytes: 1000 })
    await wait(manners.has('slow') ? 500 : 1)
    if (stopping) {
      say('stopped', { finished_layers: layer + 1, layers })
      end(3)
    }
  }
  writeFileSync(path.join(job.run, 'packed', 'model.safetensors.index.json'), '{}')
  writeFileSync(path.join(job.run, 'packed', 'config.json'), '{}')
  return {
    packed: path.join(job.run, 'packed'),
    nominal_bits: 2,
    linear_bits: 2.1,
    file_bits: 4.5,
    file_bytes: 500_000,
    linear_bytes: 250_000,
    weights: 786_432,
    parameters: 900_000,
    seconds: { calibrate: 0.1, quantize: 0.2 },
    peak_resident_bytes: 10_000_000,
  }
}

/** Every candidate loses half as much as the one before it, and the last linears matter most. */
async function measure() {
  say('plan', { layers, linears: linears.length, weights: 1000, resumed_layers: 0 })
  for (const { name, layer, rows, columns } of linears) {
    for (const candidate of job.candidates.keys()) {
      if (manners.has('forgetful') && candidate > 0) continue
      const error = 0.5 ** (candidate + 1)
      say('measured', { name, layer, candidate, rows, columns, bytes: 1000, relative_output_error: error })
    }
  }
  await wait(manners.has('slow') ? 500 : 1)
  for (const [place, { name }] of linears.entries())
    say('sensitivity', { name, relative_output_error: 0.25, kld: 0.001 * (place + 1), standard_error: 0.001 })
  const tokens = job.calibration.sequences * job.calibration.length
  return { tokens, probe_tokens: tokens, seconds: {}, peak_resident_bytes: 10_000_000 }
}

/** An original has 30, what is packed 40. */
const evaluated = (/** @type {string} */ folder) => ({
  perplexity: path.basename(folder) === 'packed' ? 40 : 30,
  standard_error: 1.5,
  seconds: 0.1,
  window_losses: [],
})
const estimate = (/** @type {number} */ value) => ({ value, standard_error: 0.01 })
const spread = (/** @type {number} */ value) => ({
  mean: estimate(value),
  minimum: 0,
  maximum: 3,
  percentiles: Object.fromEntries(
    ['0.1', '1', '5', '10', '25', '50', '75', '90', '95', '99', '99.9'].map((percent) => [percent, value]),
  ),
})

function evaluate() {
  const tokens = statSync(job.tokens).size / 4
  const windows = Math.floor(tokens / job.window)
  const targets = job.window - 1 - (job.protocol === 'papers' ? 0 : Math.floor(job.window / 2))
  const common = { protocol: job.protocol, tokens: windows * targets, windows, window: job.window }
  const model = evaluated(job.model)
  const { perplexity: value, standard_error } = model
  say('metric', { name: 'perplexity', value, standard_error, ...common })
  if (job.reference === null) return { ...common, model, reference: null, comparison: null }
  say('metric', { name: 'kld', ...estimate(0.25), ...common })
  say('metric', { name: 'same_top', ...estimate(0.8), ...common })
  if (job.targets !== null) writeFileSync(job.targets, JSON.stringify({ bos: job.bos }))
  const comparison = {
    kld: spread(0.25),
    delta_p: spread(-0.05),
    delta_p_rms: estimate(0.1),
    same_top: estimate(0.8),
    log_ratio: estimate(Math.log(40 / 30)),
    correlation: 0.9,
  }
  return { ...common, model, reference: evaluated(job.reference), comparison }
}

/** Repeats the prompt without its first token, from the seed's place on; with `greedy` from the first. */
async function generate() {
  const context = job.context || 256
  say('ready', {
    architecture: 'llama',
    vocabulary: 2048,
    context,
    seconds: 0.01,
    cache_bytes: 1000,
    resident_bytes: 2000,
  })
  let [requests, tokens] = [0, 0]
  const heartbeat = setInterval(() => say('heartbeat', { resident_bytes: 2000 }), 2000)
  for (;;) {
    const end = input.indexOf('\n')
    if (end < 0) {
      await new Promise((resolve) => (wake = () => resolve(undefined)))
      continue
    }
    const line = JSON.parse(input.slice(0, end))
    input = input.slice(end + 1)
    if (line.command === 'stop') break
    if (line.command !== 'generate') continue
    const { id, tokens: prompt } = line
    if (prompt.length > context) {
      const message = `The prompt has ${prompt.length} tokens, and the cache holds ${context}.`
      say('refused', { id, code: 'context_too_long', message })
      continue
    }
    const words = prompt.length > 1 ? prompt.slice(1) : [300]
    let [count, reason] = [0, 'length']
    for (; count < line.max_tokens; count++) {
      await wait(manners.has('slow') ? 40 : 0)
      if (manners.has('crash-late')) process.kill(process.pid, 'SIGSEGV')
      if (stopping || input.includes('"halt"')) reason = 'halted'
      const token = words[(count + (line.temperature > 0 ? line.seed : 0)) % words.length]
      if (line.stop_tokens.includes(token)) reason = 'stop_token'
      if (prompt.length + count > context) reason = 'context'
      if (reason !== 'length') break
      say('token', { id, index: count, token })
    }
    requests++
    tokens += count
    const times = { first_token_seconds: count > 0 ? 0.05 : null, seconds: 0.01 * Math.max(0, count - 1) }
    const numbers = { tokens: count, prompt_tokens: prompt.length, reused_tokens: 0, resident_bytes: 2000 }
    say('generated', { id, reason, ...numbers, ...times })
  }
  clearInterval(heartbeat)
  return { requests, tokens }
}

/** Puts any linear but `none` on the table; a trial crashes with `crash-late`. */
async function lab() {
  say('ready', {
    architecture: 'llama',
    vocabulary: 2048,
    context: 256,
    seconds: 0.01,
    cache_bytes: 0,
    resident_bytes: 2000,
  })
  let [put, trials] = [0, 0]
  const histogram = { low: -1, high: 1, counts: [1, 2, 1] }
  const heartbeat = setInterval(() => say('heartbeat', { resident_bytes: 2000 }), 2000)
  for (;;) {
    const end = input.indexOf('\n')
    if (end < 0) {
      await new Promise((resolve) => (wake = () => resolve(undefined)))
      continue
    }
    const line = JSON.parse(input.slice(0, end))
    input = input.slice(end + 1)
    if (line.command === 'stop') break
    if (line.command === 'halt') continue
    const { id } = line
    const halted = () => stopping || input.includes(`"halt","id":${id}}`)
    for (let k = 0; k < (manners.has('slow') ? 50 : 1) && !halted(); k++) {
      if (line.command === 'put') {
        say('progress', { phase: 'calibrate', done: k + 1, total: 50, unit: 'sequences', eta: 1 })
      }
      await wait(10)
    }
    if (halted()) {
      say('halted', { id })
      continue
    }
    if (line.command === 'put' && line.linear === 'none') {
      say('refused', { id, code: 'tensor_missing', message: 'The model has no linear none.' })
    } else if (line.command === 'put') {
      put++
      const shape = { rows: 4, columns: 4, tokens: 100, at_hand: put > 1 }
      say('linear', { id, name: line.linear, ...shape, weights: histogram, seconds: 0.1, resident_bytes: 2000 })
    } else {
      if (manners.has('crash-late')) process.kill(process.pid, 'SIGSEGV')
      trials++
      const told = { report: report(linears[0]), quantized: histogram, levels: [-1, 1], warnings: [] }
      say('trial', { id, ...told, resident_bytes: 2000 })
    }
  }
  clearInterval(heartbeat)
  return { linears: put, trials }
}

const card = (/** @type {number} */ n, /** @type {number} */ memory_bytes, /** @type {number} */ free_bytes) => ({
  id: `cuda:${n}`,
  name: `Fake card ${n}`,
  uuid: `GPU-fake-${n}`,
  memory_bytes,
  free_bytes,
  compute: '9.0',
})
/** `cards`: a small one and a large one; `no-driver`: none, and why. */
function devices() {
  const cpu = { threads: 2, simd: 'FAKE', blas: 'fake', memory_bytes: 8e9 }
  if (manners.has('no-driver')) {
    const reason = 'This machine has no NVIDIA driver: libcuda.so.1 was not found.'
    return { cpu, devices: [], driver: null, built: '12.4', reason, libraries: [] }
  }
  if (!manners.has('cards')) return { cpu }
  const folder = job.device_libraries ?? '/usr/lib'
  const cublas = { name: 'cuBLAS', path: `${folder}/libcublas.so.12`, version: '12.4' }
  const libraries = [cublas, { name: 'cuSOLVER', path: null, version: null }]
  const cards = [card(0, 24e9, 20e9), card(1, 80e9, 60e9)]
  return { cpu, devices: cards, driver: '550.54', built: '12.4', reason: null, libraries }
}

/** A sequence takes a billion bytes. */
function devicePlan() {
  const needed_bytes = 1e9 * (job.calibration?.sequences ?? 1)
  const fits = needed_bytes <= job.memory_bytes
  const parts = [{ name: 'activations', bytes: needed_bytes }]
  const advice = fits ? null : 'Use fewer sequences.'
  return { needed_bytes, parts, activations: 'device', fits, advice, host_bytes: 1e9 }
}

const on =
  job.device === undefined ? null : { id: job.device, name: `Fake card ${job.device.slice(5)}`, memory_bytes: 24e9 }
say('started', {
  command,
  program: 'signum 0.1.0',
  pid: process.pid,
  threads: 2,
  simd: 'FAKE',
  blas: 'fake',
  device: on,
})
if (on) say('heartbeat', { resident_bytes: 2000, device_bytes: 3e9, device_peak_bytes: 4e9 })
if (on && manners.has('card-short') && command === 'quantize') {
  const message = 'The run needs 24.5 GB of Fake card 0, which has 20 GB to give: fewer sequences need less.'
  say('failed', { code: 'device_memory_short', message, detail: '' })
  end(1)
}
console.error(`fake worker: ${command}`)
if (manners.has('crash') && command !== 'inspect') {
  console.error('about to crash')
  process.kill(process.pid, 'SIGSEGV')
  await wait(10_000)
}
if (manners.has('hang') && command !== 'inspect') await wait(60_000)
if (manners.has('garbage')) {
  console.log('not json {')
  console.log(JSON.stringify({ seq: seq++, elapsed: 0, event: 'sneeze', loudness: 3 }))
  console.log(JSON.stringify({ seq: seq++, elapsed: 0, event: 'heartbeat', resident_bytes: 'many' }))
  seq += 2
}
if (manners.has('fail') && command !== 'inspect') {
  say('failed', { code: 'factor_failed', message: 'The Hessian could not be factored.', detail: 'pivot 3' })
  end(1)
}
/** @type {Record<string, () => object>} */
const commands = {
  inspect,
  quantize,
  evaluate,
  devices,
  'device-plan': devicePlan,
  measure,
  generate,
  lab,
  layer: () => (say('layer', report(linears[0])), {}),
  export: () => {
    say('warning', { code: 'export', message: `The file is made of ${path.basename(job.model)}.` })
    const bytes = 14_700_000
    const rounding = { tensors: 38, values: 3.6e6, exact_values: 3.6e6, relative_error: 0, largest_error: 0 }
    return {
      format: job.format,
      files: [{ name: path.basename(job.output), bytes, sha256: '5'.repeat(64) }],
      bytes,
      tensors: 38,
      architecture: 'llama',
      verification: rounding,
      types: [{ type: job.type.toUpperCase(), ...rounding }],
      chosen: [],
    }
  },
}
say('finished', { result: await commands[command]?.() })
end(0)
