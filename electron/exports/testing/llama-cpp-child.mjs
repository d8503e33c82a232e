// Runs llama.cpp on one GGUF file: node llama-cpp-child.mjs JOB.json. A process of its own, because llama.cpp ends the process on some
// files that it cannot use. Writes the logits of every position as little-endian F32 and, as JSON, what its tokenizer makes of the texts,
// or, where `more` tokens are asked for, the most likely ones.
import { readFile, writeFile } from 'node:fs/promises'
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'

/** @type {{ gguf: string, tokens: number[], texts: string[], more: number, logits: string, ids: string }} */
const job = JSON.parse(await readFile(/** @type {string} */ (process.argv[2]), 'utf8'))
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.warn,
})
const model = await llama.loadModel({ modelPath: job.gguf })
// Nothing is rounded on the way: keys and values are kept in F32, and scores are made whole (flash attention rounds to F16).
const context = await model.createContext({
  contextSize: job.tokens.length + job.more + 16, // a full context would be shifted before its last token
  batchSize: job.tokens.length,
  sequences: 1,
  threads: 1,
  flashAttention: false,
  experimentalKvCacheKeyType: 'F32',
  experimentalKvCacheValueType: 'F32',
})
const tokens = /** @type {import('node-llama-cpp').Token[]} */ (job.tokens)
const sequence = context.getSequence()

/** @param {import('node-llama-cpp').Token[]} ids @returns {Promise<Float32Array[]>} */
async function evaluate(ids) {
  const answers = await sequence.controlledEvaluate(ids.map((token) => [token, { generateNext: { logits: true } }]))
  return answers.map((answer) => {
    const logits = answer?.next.logits
    if (!logits) throw new Error('llama.cpp gave no logits')
    const row = new Float32Array(logits.size).fill(NaN)
    for (const [token, logit] of logits) row[token] = logit
    return row
  })
}

const rows = await evaluate(tokens)
/** @type {number[]} */
const next = []
while (next.length < job.more) {
  const row = /** @type {Float32Array} */ (rows.at(-1))
  next.push(row.indexOf(Math.max(...row)))
  rows.push(...(await evaluate(/** @type {typeof tokens} */ (next.slice(-1)))))
}
await writeFile(job.logits, Buffer.concat(rows.map((row) => Buffer.from(row.buffer))))
const { bos, shouldPrependBosToken } = model.tokens
const begin = shouldPrependBosToken && bos !== null ? [bos] : []
const cut = job.texts.map((text) => [...begin, ...model.tokenize(text)])
await writeFile(job.ids, JSON.stringify(job.more > 0 ? [next] : cut))
await llama.dispose()
