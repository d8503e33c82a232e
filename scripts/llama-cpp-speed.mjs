// How fast llama.cpp reads and writes tokens with one GGUF file: node llama-cpp-speed.mjs JOB (JSON: gguf, threads, vocabulary).
// Prints medians of three as JSON. A process of its own, so that memory is this model's alone.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'

const { gguf, threads, vocabulary } = JSON.parse(/** @type {string} */ (process.argv[2]))
const llama = await getLlama({
  gpu: false,
  build: 'never',
  skipDownload: true,
  progressLogs: false,
  logLevel: LlamaLogLevel.error,
})
const model = await llama.loadModel({ modelPath: gguf })
const context = await model.createContext({ contextSize: 1024, batchSize: 512, sequences: 1, threads })
const sequence = context.getSequence()

/** @param {number} count */
const prompt = (count) =>
  /** @type {import('node-llama-cpp').Token[]} */ (
    Array.from({ length: count }, (_, i) => 10 + ((i * 7919) % (vocabulary - 10)))
  )

/** Tokens per second of reading a prompt. @param {number} count */
async function prefill(count) {
  await sequence.clearHistory()
  const began = performance.now()
  await sequence.evaluateWithoutGeneratingNewTokens(prompt(count))
  return (count / (performance.now() - began)) * 1000
}

/** Tokens per second of writing, after a prompt of 16. @param {number} count */
async function decode(count) {
  await sequence.clearHistory()
  await sequence.evaluateWithoutGeneratingNewTokens(prompt(15))
  const tokens = sequence.evaluate(prompt(1), { temperature: 0, yieldEogToken: true })
  await tokens.next() // the prompt is not counted
  const began = performance.now()
  for (let written = 0; written < count; written++) await tokens.next()
  const rate = (count / (performance.now() - began)) * 1000
  await tokens.return()
  return rate
}

/** @param {() => Promise<number>} measure */
async function median(measure) {
  const rates = [await measure(), await measure(), await measure()]
  return rates.sort((a, b) => a - b)[1]
}

await prefill(64)
const result = {
  prefill64: await median(() => prefill(64)),
  prefill512: await median(() => prefill(512)),
  decode: await median(() => decode(64)),
  resident: process.memoryUsage().rss,
}
console.log(`\n${JSON.stringify(result)}`)
await llama.dispose()
