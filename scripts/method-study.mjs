// Methods side by side: every setting is run with three calibration draws and measured on several texts, so that differences come
// with their standard errors (docs/METHODS.md).
//   node scripts/method-study.mjs                                       all rows of the table
//   node scripts/method-study.mjs "gptq bits=3" "signum-rc second_plane=0.5 correction=0"
//   node scripts/method-study.mjs "mixed budget=2bpw" "signum-rc blocksize=256 budget=2bpw"
// SIGNUM_STUDY_MODEL, SIGNUM_STUDY_CALIBRATION and SIGNUM_STUDY_EVALUATION (several with commas) take other models and texts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { capture, inRoot, main, Refusal } from './node.mjs'

const model = process.env['SIGNUM_STUDY_MODEL'] ?? inRoot('resources', 'models', 'signum-stories-4m')
const calibration = process.env['SIGNUM_STUDY_CALIBRATION'] ?? 'bundled:calibration-stories'
// In the style of the calibration text, and in two others.
const evaluations = (
  process.env['SIGNUM_STUDY_EVALUATION'] ??
  'bundled:evaluation-samples,bundled:evaluation-tales,bundled:evaluation-stories'
).split(',')
const seeds = [0, 1, 2]

/** @param {string} setting "gptq bits=3 group=64" @param {number} seed @param {string} folder */
async function report(setting, seed, folder) {
  const [method = '', ...parameters] = setting.split(' ')
  const { code, output } = await capture(process.execPath, [
    inRoot('bin', 'signum.mjs'),
    'quantize',
    model,
    ...['--method', method, '--out', path.join(folder, `${seed}`), '--data', path.join(folder, '..', 'data'), '--json'],
    ...['--calibration', calibration, '--sampling', 'random', '--seed', String(seed)],
    ...['--sequences', '32', '--length', '256', '--window', '256'],
    ...evaluations.flatMap((one) => ['--evaluation', one]),
    ...parameters.flatMap((one) => (one.startsWith('budget=') ? [`--${one}`] : ['--set', one])),
  ])
  if (code !== 0) throw new Refusal('run_failed', `${setting}: ${output}`)
  return JSON.parse(output.slice(output.startsWith('{') ? 0 : output.indexOf('\n{')))
}

/** Mean and its standard error, of the logarithms. @param {number[]} values */
function summary(values) {
  const logs = values.map(Math.log)
  const mean = logs.reduce((sum, one) => sum + one, 0) / logs.length
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (logs.length - 1)
  return { value: Math.exp(mean), error: Math.exp(mean) * Math.sqrt(variance / logs.length) }
}

/** Perplexities with their standard errors, and the mean KL divergence from the original. @param {string} setting @param {string} folder */
async function row(setting, folder) {
  /** @type {any[]} */
  const reports = []
  for (const seed of seeds)
    reports.push(await report(setting, seed, path.join(folder, setting.replaceAll(/\W+/g, '-'))))
  const bits = reports[0].bits
  const texts = evaluations.map((_, i) => summary(reports.map((one) => one.perplexity[i].packed.value)))
  const original = evaluations.map((_, i) => reports[0].perplexity[i].original.value)
  const klds = evaluations.map(
    (_, i) => summary(reports.map((one) => one.perplexity[i].comparison.kld.mean.value)).value,
  )
  return { setting, linear: bits.linear, file: bits.file, texts, klds, original }
}

const settings = [
  'signum-rc second_plane=0 correction=0 damping=0.01',
  'signum-rc second_plane=0 damping=0.01',
  'signum-rc second_plane=0 damping=0.01 blocksize=256',
  'signum-rc second_plane=0',
  'signum-rc second_plane=0 damping=0.3 blocksize=256',
  'signum-rc second_plane=0 damping=1 blocksize=256',
  'signum-rc second_plane=1 damping=0.01',
  'signum-rc second_plane=1',
  'signum-rc second_plane=1 damping=0.3 blocksize=256',
  'gptq bits=2 group=64 clip_search=true order=hessian',
  'signum-rc second_plane=1 third_plane=0.5 blocksize=256',
  'signum-rc second_plane=1 third_plane=0.75 blocksize=256',
  'gptq bits=3 group=-1 clip_search=true order=hessian',
  'arb-rc',
  'signum-rc second_plane=1 third_plane=1 blocksize=256',
]

await main(async () => {
  const chosen = process.argv.slice(2)
  const folder = mkdtempSync(path.join(tmpdir(), 'signum-study-'))
  const names = evaluations.map((one) => path.basename(one.replace('bundled:', ''), '.txt'))
  try {
    let first = true
    for (const setting of chosen.length > 0 ? chosen : settings) {
      const { linear, file, texts, klds, original } = await row(setting, folder)
      if (first) {
        console.log(
          `| setting | linear bits | file bits | ${names.join(' | ')} |\n| --- | --: | --: |${' --: |'.repeat(names.length)}`,
        )
        console.log(`| original | 16 | 16 | ${original.map((one) => one.toFixed(2)).join(' | ')} |`)
      }
      first = false
      const cells = texts.map(
        ({ value, error }, i) => `${value.toFixed(2)} ± ${error.toFixed(2)} (${klds[i]?.toFixed(3)})`,
      )
      console.log(`| ${setting} | ${linear.toFixed(2)} | ${file.toFixed(2)} | ${cells.join(' | ')} |`)
    }
    return 0
  } finally {
    rmSync(folder, { recursive: true })
  }
})
