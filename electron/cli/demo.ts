// signum demo: every method on the bundled model, measured on two texts, in one table.
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { findMethod, resolveParameters, type MethodId, type Parameters } from '../contract/methods.ts'
import * as quantities from '../contract/quantities.ts'
import { failure } from '../contract/errors.ts'
import type { Measurement, RunReport } from '../contract/records.ts'
import type { Recipe } from '../contract/recipe.ts'
import { refusal, reply, unfinished, type Command } from './command.ts'
import { table, type Column } from './table.ts'

/** The three of signum-rc are 1.13, 1.41 and 2.25 linear bits in wide layers; here the scales of columns weigh more. */
const variants: readonly { name: string; title: string; method: MethodId; parameters: Parameters }[] = [
  { name: 'rtn-2', title: 'rtn, 2 bits', method: 'rtn', parameters: { bits: 2 } },
  { name: 'gptq-2', title: 'gptq, 2 bits', method: 'gptq', parameters: { bits: 2 } },
  { name: 'gptq-3', title: 'gptq, 3 bits', method: 'gptq', parameters: { bits: 3 } },
  { name: 'billm', title: 'billm', method: 'billm', parameters: {} },
  { name: 'pb-llm', title: 'pb-llm, 10 % salient', method: 'pb-llm', parameters: {} },
  { name: 'arb', title: 'arb', method: 'arb', parameters: {} },
  { name: 'arb-x', title: 'arb-x', method: 'arb-x', parameters: {} },
  { name: 'arb-rc', title: 'arb-rc', method: 'arb-rc', parameters: {} },
  { name: 'fdb', title: 'fdb', method: 'fdb', parameters: {} },
  { name: 'signum-rc-0', title: 'signum-rc, second plane 0', method: 'signum-rc', parameters: { second_plane: 0 } },
  {
    name: 'signum-rc-0.25',
    title: 'signum-rc, second plane 0.25',
    method: 'signum-rc',
    parameters: { second_plane: 0.25 },
  },
  { name: 'signum-rc-1', title: 'signum-rc, second plane 1', method: 'signum-rc', parameters: { second_plane: 1 } },
]

/** Two texts: where they rank two methods differently, the methods are on a par. */
const texts = [
  { source: 'bundled:evaluation-tales', title: 'tales' },
  { source: 'bundled:evaluation-stories', title: 'stories' },
] as const
const calibration = {
  source: 'bundled:calibration-broad',
  sampling: 'sequential',
  sequences: 32,
  length: 256,
  seed: 0,
  join: 'raw',
} as const

export type DemoRow = {
  title: string
  bits: { nominal: number; linear: number; file: number }
  bytes: number
  perplexity: Pick<Measurement, 'value' | 'standard_error'>[]
  seconds: number | null
}

export const demo: Command = {
  spec: {
    name: 'demo',
    summary: 'Quantize the bundled model with every method and print what each keeps.',
    positionals: [],
    options: [
      {
        name: 'out',
        value: 'DIR',
        kind: 'text',
        help: 'Where the packed models go (default demo). Every start makes a new folder in it: DIR/1, DIR/2, ...',
      },
      { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
    ],
  },

  async run(task) {
    const { workbench, values, attention, terminal } = task
    const model = path.join(workbench.root, 'resources', 'models', 'signum-stories-4m')
    const inspected = await workbench.inspect({ folder: model }, attention)
    if (inspected.kind !== 'finished') return unfinished(inspected, null)
    const folder = await newFolder(values.text('out') ?? 'demo')
    if (folder === null)
      return refusal(failure('write_failed', `No folder can be made in ${values.text('out') ?? 'demo'}.`).problem)

    const reports: RunReport[] = []
    for (const [index, variant] of variants.entries()) {
      terminal.progress.clear()
      terminal.err(`${index + 1} of ${variants.length}: ${variant.title}\n`)
      const request = {
        model,
        recipe: recipeOf(variant),
        out: path.join(folder, variant.name),
        threads: values.integer('threads') ?? 0,
        name: `demo ${path.basename(folder)}: ${variant.title}`,
      }
      const ending = await workbench.quantize(request, attention)
      if (ending.kind !== 'finished') return unfinished(ending, null)
      reports.push(ending.value)
    }
    const rows = rowsOf(reports)
    await writeFile(path.join(folder, 'table.md'), `${demoTable(rows)}\n`)
    return reply(`${demoTable(rows)}\n\n${legend(reports)}\nThe packed models are in ${shown(folder)}/*/packed.`, {
      folder,
      rows,
      reports,
    })
  },
}

function recipeOf(variant: (typeof variants)[number]): Recipe {
  const method = findMethod(variant.method)
  const parameters = method.ok ? resolveParameters(method.value, variant.parameters) : method
  if (!parameters.ok) throw new Error(parameters.problem.message)
  const needed = method.ok && method.value.needsCalibration(parameters.value)
  return {
    signum_recipe: 1,
    method: variant.method,
    parameters: parameters.value,
    overrides: [],
    embedding_type: 'source',
    head_type: 'source',
    calibration: needed ? calibration : null,
    evaluations: texts.map(({ source }) => ({ source, window: 256, protocol: 'papers', join: 'raw' })),
  }
}

/** A demo never touches what an earlier one made. */
async function newFolder(parent: string): Promise<string | null> {
  const there = await readdir(parent).catch(() => [])
  const last = Math.max(0, ...there.filter((name) => /^\d+$/.test(name)).map(Number))
  const folder = path.resolve(parent, String(last + 1))
  return mkdir(folder, { recursive: true }).then(
    () => folder,
    () => null,
  )
}

function rowsOf(reports: readonly RunReport[]): DemoRow[] {
  const first = reports[0]!
  const { parameters } = first.sizes
  const { bytes } = first.model
  const width = first.model.dtype === 'F32' ? 32 : 16
  const original: DemoRow = {
    title: `original (${first.model.dtype})`,
    bits: { nominal: width, linear: width, file: (8 * bytes) / parameters },
    bytes,
    perplexity: first.perplexity.map((one) => one.original),
    seconds: null,
  }
  const packed = reports.map(({ bits, sizes, perplexity, seconds }, index): DemoRow => ({
    title: variants[index]!.title,
    bits,
    bytes: sizes.file_bytes,
    perplexity: perplexity.map((one) => one.packed),
    seconds: Object.entries(seconds).reduce((total, [phase, s]) => (phase === 'evaluate' ? total : total + s), 0),
  }))
  return [original, ...packed]
}

const columns: Column[] = [
  { title: 'method', align: 'left' },
  { title: 'nominal', align: 'right' },
  { title: 'linear', align: 'right' },
  { title: 'file bits', align: 'right' },
  { title: 'size', align: 'right' },
  ...texts.map(({ title }): Column => ({ title: `perplexity, ${title}`, align: 'right' })),
  { title: 'seconds', align: 'right' },
]

/** The table of the demo and of the README. */
export const demoTable = (rows: readonly DemoRow[]): string =>
  table(
    columns,
    rows.map(({ title, bits, bytes, perplexity, seconds }) => [
      title,
      quantities.bits(bits.nominal),
      quantities.bits(bits.linear),
      quantities.bits(bits.file),
      quantities.size(bytes),
      ...perplexity.map(quantities.perplexity),
      seconds === null ? '' : quantities.secondsText(seconds),
    ]),
  )

function legend(reports: readonly RunReport[]): string {
  const [first] = reports
  const measured = first!.perplexity.map(
    ({ text, packed }) => `${text.source.replace('bundled:', '')} ${packed.windows} windows of ${packed.window}`,
  )
  return [
    'Bits per weight: nominal as the papers count, linear with everything stored for the quantized linears, file over the whole model.',
    `Perplexity with its standard error by window (protocol papers; ${measured.join(', ')}), from the packed files read back.`,
    `Calibration: ${calibration.sequences} sequences of ${calibration.length} tokens sampled from the model itself.`,
  ].join('\n')
}

const shown = (folder: string) => path.relative(process.cwd(), folder) || folder
