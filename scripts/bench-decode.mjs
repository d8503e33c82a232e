// `npm run bench -- decode`: tokens per second of one model shape (TinyLlama's, random weights) in Signum's packed layouts and in
// llama.cpp's types, on the same machine in the same run. What is in the weights does not change the time.
import { mkdtempSync, rmSync, statSync, statfsSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { capture, inRoot, projectNode, Refusal, run } from './node.mjs'
import { writeRandomGguf } from './random-gguf.mjs'

const shape = {
  hidden: 2048,
  intermediate: 5632,
  layers: 22,
  heads: 32,
  keyValueHeads: 4,
  vocabulary: 32000,
  context: 2048,
}
const needed = 3e9 // bytes of disk, and of memory beside it: one model at a time
const ours = ['f16', 'rtn4', 'signum-rc 1', 'signum-rc 0.25', 'signum-rc 0', 'billm', 'arb-rc + bitmap'] // tables: rtn4
// Matrices, and embeddings and head: 4 bits where the matrices are small, as on our side.
const types = /** @type {const} */ ([
  ['F16', 'F16'],
  ['Q4_0', 'Q4_0'],
  ['Q2_K', 'Q4_0'],
  ['TQ2_0', 'Q4_0'],
  ['TQ1_0', 'Q4_0'],
  ['Q1_0', 'Q4_0'],
])

/** @param {string[]} given what to measure of llama.cpp; all where nothing is given */
export async function benchDecode(given) {
  const code = await run(inRoot('build', 'release', 'signum-bench'), ['--decode', ours.join(','), '--repeat', '3'])
  if (code !== 0) return code
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log('\nllama.cpp: its package is here for 64-bit Linux only.')
    return 0
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'signum-bench-'))
  try {
    const { bavail, bsize } = statfsSync(folder)
    if (bavail * bsize < needed) throw new Refusal('disk_full', `${folder} needs ${needed / 1e9} GB of free disk.`)
    const threads = availableParallelism()
    console.log(`\nllama.cpp (node-llama-cpp), ${threads} threads, the same shape\n${heading}`)
    for (const [matrices, tables] of types) {
      if (given.length > 0 && !given.includes(matrices)) continue
      const file = path.join(folder, `${matrices}.gguf`)
      writeRandomGguf(file, shape, matrices, tables)
      console.log(await oneFile(file, `${matrices} (tables ${tables})`, threads))
      rmSync(file)
    }
    return 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const columns = ['file MB', 'prefill 64', 'prefill 512', 'decode tok/s', 'resident MB']
const heading = ['type'.padEnd(22), ...columns.map((name) => name.padStart(14))].join('')

/** @param {string} file @param {string} name @param {number} threads */
async function oneFile(file, name, threads) {
  const job = JSON.stringify({ gguf: file, threads, vocabulary: shape.vocabulary })
  const { code, output } = await capture(projectNode(), [inRoot('scripts', 'llama-cpp-speed.mjs'), job])
  if (code !== 0) return `${name.padEnd(22)}   ${output.trim()}`
  const speed = JSON.parse(output.slice(output.lastIndexOf('\n{') + 1))
  const cells = [
    (statSync(file).size / 1e6).toFixed(0),
    speed.prefill64.toFixed(1),
    speed.prefill512.toFixed(1),
    speed.decode.toFixed(2),
    (speed.resident / 1e6).toFixed(0),
  ]
  return [name.padEnd(22), ...cells.map((cell) => cell.padStart(14))].join('')
}
