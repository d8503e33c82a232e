// A history as years of work leave it: thousands of runs of several models and methods, written through the history's own code
// in one transaction. No file of theirs exists; everything that lists show of them does.
import type { Comparison } from '../electron/contract/evaluation.ts'
import type { RunReport } from '../electron/contract/records.ts'
import { methods } from '../electron/contract/methods.ts'
import { parseRecipe, type Recipe } from '../electron/contract/recipe.ts'
import { runName } from '../electron/contract/run-name.ts'
import { openHistory } from '../electron/history/history.ts'
import { theseProcesses } from '../electron/history/owner.ts'
import { layerReport, model } from '../electron/history/testing/open.ts'
import { demoModel } from './runs.ts'

const models = [demoModel, '/models/TinyLlama-1.1B', '/models/opt-125m', '/models/Qwen2.5-0.5B', '/models/Llama-3.2-1B']
const texts = ['bundled:calibration-stories', '/texts/c4-en.jsonl', '/texts/wikitext-2-train.txt']
const evaluations = ['bundled:evaluation-stories', '/texts/wikitext-2-test.txt']
const words = ['paper', 'table-2', 'ablation', 'sweep', 'good', 'again', 'group-size', 'for-anna']

/** Numbers that look like chance and are the same each time (mulberry32). */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function recipeFor(next: () => number): Recipe {
  const method = methods[Math.floor(next() * methods.length)]!
  const group = method.parameters.find(({ key }) => key === 'group')
  const parameters = group && next() < 0.5 ? { group: [32, 64, 256][Math.floor(next() * 3)]! } : {}
  const calibration = { source: texts[Math.floor(next() * texts.length)]!, sequences: next() < 0.5 ? 128 : 16 }
  const recipe = (given: object) =>
    parseRecipe(
      {
        signum_recipe: 1,
        method: method.id,
        parameters: given,
        ...(method.needsCalibration(given as Recipe['parameters']) ? { calibration } : {}),
        evaluations: evaluations.map((source) => ({ source, window: 256 })),
      },
      'generated',
    )
  const parsed = recipe(parameters)
  const whole = parsed.ok ? parsed : recipe({})
  if (!whole.ok) throw new Error(whole.problem.message)
  return whole.value
}

/** `detailed`: that many of the newest runs have the linears of a whole small model, the others of one decoder layer. */
export async function writeRuns(data: string, count: number, detailed = 20): Promise<void> {
  let now = Date.UTC(2025, 8, 1)
  const clock = { now: () => now, uptime: () => null }
  const opened = await openHistory(data, { clock, processes: theseProcesses() })
  if (!opened.ok) throw new Error(opened.problem.message)
  const history = opened.value
  const next = chance(1)
  const written = history.write(() => {
    const ids = models.map((path, index) =>
      history.models.see(model(path, { parameters: 4e6 * 8 ** index, bytes: 8e6 * 8 ** index })),
    )
    for (let at = 1; at <= count; at++) {
      now += Math.round(next() * 5_000_000)
      const which = Math.floor(next() * models.length)
      const recipe = { ...recipeFor(next), model: models[which]! }
      const run = history.runs.add({ name: runName(recipe.model, recipe), recipe, folder: null, device: 'cpu' })
      history.runs.begin(run, ids[which]!, 4, recipe)
      for (let layer = 0; layer < (at > count - detailed ? 4 : 1); layer++) {
        for (const kind of ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']) {
          const error = 0.05 + 0.4 * next()
          const name = `model.layers.${layer}.${kind}.weight`
          history.layerReports.put(run, { ...layerReport(name, layer), kind, relative_output_error: error })
        }
      }
      now += Math.round(next() * 1_000_000)
      if (next() < 0.06) history.runs.end(run, next() < 0.5 ? 'failed' : 'cancelled')
      else finish(run, which)
      for (const word of words) if (next() < 0.08) history.tags.add(run, word)
      if (next() < 0.1)
        history.runs.note(run, `Try ${Math.ceil(9 * next())}: compare with run ${Math.ceil(at * next())}.`)
      if (next() < 0.04) history.runs.archive(run, true)
    }
  })

  function finish(run: number, which: number): void {
    const bits = 1 + 3 * next()
    const original = 8 + 2 * which
    for (const [index, source] of evaluations.entries()) {
      const text = { source, sha256: `sha-${which}-${index}`, tokens: 300_000 }
      const measured = (value: number) => ({
        protocol: 'papers' as const,
        value,
        standard_error: value / 50,
        tokens: 299_000,
        windows: 1172,
        window: 256,
        seconds: 20,
      })
      history.metrics.put({ run }, 'original', text, measured(original))
      const packed = measured(original * (1 + (0.5 + next()) * 2 ** (3 - 2 * bits)))
      history.metrics.put({ run }, 'packed', text, packed)
      history.metrics.putComparison(run, text, packed, comparison(packed.value))
    }
    history.runs.finish(run, {
      program: 'signum 0.1.0',
      bits: { nominal: bits, linear: bits + 0.13, file: bits + 0.9 },
      sizes: {
        file_bytes: Math.round(5e5 * 8 ** which * (bits + 0.9)),
        linear_bytes: Math.round(4e5 * 8 ** which * bits),
      },
      seconds: { quantize: 600 * next(), evaluate: 100 * next() },
      peak_resident_bytes: Math.round(1e9 * next()),
    } as unknown as RunReport)
  }

  const integrity = written.ok && history.runs.list().length
  history.close()
  if (integrity !== count) throw new Error(JSON.stringify(written))
}

/** Every number of it small; of the whole only mean KLD and same top token are shown in lists. */
function comparison(perplexity: number): Comparison {
  const estimate = (value: number) => ({ value, standard_error: value / 40 })
  const distribution = (mean: number) => ({
    mean: estimate(mean),
    minimum: 0,
    maximum: 20 * mean,
    percentiles: { '50': mean / 2, '90': 2 * mean, '95': 3 * mean, '99': 6 * mean, '99.9': 12 * mean },
  })
  const kld = Math.log(perplexity) / 20
  return {
    kld: distribution(kld),
    delta_p: distribution(-kld / 10),
    delta_p_rms: estimate(kld / 5),
    same_top: estimate(1 - kld / 2),
    log_ratio: estimate(kld),
    correlation: 0.9,
  }
}
