// How far a perplexity moves when nothing but rounding changes: the same run nine times, its damping moved by up to four per mille.
//   node scripts/tie-study.mjs billm
//   node scripts/tie-study.mjs signum-rc second_plane=0.25 correction=0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { capture, inRoot, main, Refusal } from './node.mjs'

/** @param {string} out @param {string} method @param {string[]} settings */
async function perplexity(out, method, settings) {
  const tokens = (/** @type {string} */ what) => inRoot('native', 'tests', 'data', `signum-stories-4m.${what}.u32`)
  const { code, output } = await capture(process.execPath, [
    inRoot('bin', 'signum.mjs'),
    'quantize',
    inRoot('resources', 'models', 'signum-stories-4m'),
    ...['--method', method, '--out', out, '--data', path.join(out, '..', 'data'), '--json'],
    ...['--calibration', tokens('calibration'), '--sequences', '32', '--length', '256'],
    ...['--evaluation', tokens('evaluation'), '--window', '256'],
    ...settings.flatMap((setting) => ['--set', setting]),
  ])
  const start = output.indexOf('\n{')
  if (code !== 0) throw new Refusal('run_failed', output)
  const report = JSON.parse(output.slice(output.startsWith('{') ? 0 : start))
  return report.perplexity[0].packed.value
}

await main(async () => {
  const [method = 'billm', ...settings] = process.argv.slice(2)
  const folder = mkdtempSync(path.join(tmpdir(), 'signum-ties-'))
  try {
    const values = []
    for (let step = -4; step <= 4; step += 1) {
      const damping = `damping=${0.01 * (1 + step * 1e-3)}`
      values.push(await perplexity(path.join(folder, String(step)), method, ['scale_type=f32', damping, ...settings]))
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
    console.log(values.map((value) => value.toFixed(2)).join('  '))
    console.log(`mean ${mean.toFixed(2)}, standard deviation ${((100 * Math.sqrt(variance)) / mean).toFixed(2)} %`)
    return 0
  } finally {
    rmSync(folder, { recursive: true })
  }
})
