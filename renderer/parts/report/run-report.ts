// Everything about a finished run on one page. It is told what is known, and makes no calls.
import { bits, count, divergence, duration, percent, perplexity, size } from '../../../electron/contract/quantities.ts'
import { withError } from '../../../electron/contract/metric-words.ts'
import { findMethod } from '../../../electron/contract/methods.ts'
import type { MetricRow, RunDetails } from '../../../electron/contract/history.ts'
import type { FileBytes, LayerReport, RunReport } from '../../../electron/contract/records.ts'
import { depthOption, errorByKind, errorText, measureOf, measures } from '../../drawing/chart/error-by-depth.ts'
import { plotSvg } from '../../drawing/chart/picture.ts'
import { fileParts } from '../../drawing/file-parts.ts'
import { facts, figure, html, none, section, table, type Head, type Html } from './html.ts'
import { mapDrawing } from './map.ts'
import { legend, moment, page, pageColours } from './page.ts'

/** A text that the run was measured on. */
export type OnText = {
  name: string
  original: MetricRow | null
  packed: MetricRow | null
  ratio: number | null
  distance: Readonly<Partial<Record<string, MetricRow>>>
}
export type RunFacts = {
  run: RunDetails
  report: RunReport | null
  bytes: FileBytes | null
  /** By text, the first one first. */
  measured: readonly OnText[]
  /** As it is read. */
  recipe: readonly { name: string; value: string; unit: string }[]
  /** Null where options cannot say it. */
  line: string | null
  date: number
  program: string
}

const nothing = '\u2013'
const number = (title: string, unit = ''): Head => ({ title, unit, numeric: true })

export async function runReport(known: RunFacts): Promise<string> {
  const { run, date, program } = known
  const sections = [measuredSection(known), bytesSection(known), ...(await errorSections(run)), recipeSection(known)]
  const warnings = known.report?.warnings ?? []
  return page({
    title: run.name,
    lead: lead(known),
    sections: [
      ...sections,
      warnings.length === 0
        ? none
        : section(
            'Warnings',
            html`<ul>
              ${warnings.map(({ message }) => html`<li>${message}</li>`)}
            </ul>`,
          ),
      linearsSection(run.layer_reports),
    ],
    date,
    program,
  })
}

function lead({ run, report, measured }: RunFacts): Html {
  const method = findMethod(run.method)
  const model = run.model
  const original = report?.sizes.original_bytes ?? model?.bytes ?? null
  const first = measured[0]
  const on = first ? `on ${first.name}` : ''
  const said = [
    `${method.ok ? method.value.title : run.method} on ${model?.name ?? 'a model that is gone'}`,
    ...(model ? [`${model.architecture}, ${count(model.parameters)} parameters, ${model.layers} decoder layers`] : []),
    `run ${run.id}, ended ${moment(run.finished_at ?? run.created_at)}`,
    ...(run.program === null ? [] : [`made by ${run.program}`]),
  ]
  const kld = first?.distance['kld']
  return html`<p class="muted">${said.join('; ')}.</p>
    ${facts([
      ...(run.file_bytes === null
        ? []
        : [
            {
              name: 'Size of the files',
              value: size(run.file_bytes),
              note:
                original === null
                  ? ''
                  : `from ${size(original)}, ${(original / run.file_bytes).toFixed(2)} times smaller`,
            },
          ]),
      ...bitFacts(run),
      ...(first?.packed
        ? [
            {
              name: 'Perplexity',
              value: perplexity(first.packed),
              note: `${on}${first.original ? `, original ${perplexity(first.original)}` : ''}`,
            },
          ]
        : []),
      ...(kld ? [{ name: 'KL divergence', value: divergence(kld.value), note: `nats, mean ${on}` }] : []),
      ...(run.seconds
        ? [{ name: 'Time', value: duration(Object.values(run.seconds).reduce((sum, one) => sum + one, 0)) }]
        : []),
    ])}`
}

const bitFacts = ({ nominal_bits, linear_bits, file_bits }: RunDetails) =>
  (
    [
      ['Nominal bits', nominal_bits, 'per weight, as papers count'],
      ['Linear bits', linear_bits, 'per weight, everything stored for the linears'],
      ['File bits', file_bits, 'per parameter, all bytes of the files'],
    ] as const
  ).flatMap(([name, value, note]) => (value === null ? [] : [{ name, value: bits(value), note }]))

function measuredSection({ measured }: RunFacts): Html {
  if (measured.length === 0) return section('Quality', html`<p>This run was not measured on a text.</p>`)
  const estimate = (metric: MetricRow | null | undefined, text: (value: number | null) => string) =>
    metric ? withError(metric, text) : nothing
  const heads: Head[] = [
    { title: 'Text' },
    { title: 'Protocol' },
    number('Original', 'perplexity'),
    number('Packed', 'perplexity'),
    number('Ratio'),
    number('KL divergence', 'nats, mean'),
    number('Same top token'),
  ]
  const rows = measured.map(({ name, original, packed, ratio, distance }) => {
    const one = packed ?? original
    return [
      name,
      one
        ? `${one.protocol}, ${count(one.windows)} windows of ${count(one.window)}, ${count(one.tokens)} tokens predicted`
        : nothing,
      original ? perplexity(original) : nothing,
      packed ? perplexity(packed) : nothing,
      ratio === null ? nothing : `${ratio.toFixed(3)}×`,
      estimate(distance['kld'], divergence),
      estimate(distance['same_top'], percent),
    ]
  })
  return section('Quality', table('Original and packed model on each text; ± is one standard error', heads, rows))
}

function bytesSection({ bytes }: RunFacts): Html {
  if (bytes === null) return none
  const parts = fileParts(bytes)
  const total = parts.reduce((sum, { value }) => sum + value, 0)
  let x = 0
  const bars = parts.map(({ name, value, text, colour }) => {
    const wide = (1000 * value) / total
    const bar = html`<rect x="${x.toFixed(2)}" y="0" width="${wide.toFixed(2)}" height="26" fill="${colour}"
      ><title>${name}: ${text}</title></rect
    >`
    x += wide
    return bar
  })
  const svg = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 26" preserveAspectRatio="none">
    ${bars}
  </svg>`.markup
  return section(
    'Where the bytes go',
    figure(
      svg,
      `Bytes of the packed files, ${size(Math.round(total))} in all`,
      legend(parts.map(({ name, colour }) => ({ name, colour, symbol: 'rect' }))),
    ),
    table(
      'Bytes by what they are for',
      [{ title: 'Part' }, number('Bytes'), number('Share')],
      parts.map(({ name, value, text }) => [name, text, percent(value / total)]),
    ),
  )
}

async function errorSections({ layer_reports: reports, layers }: RunDetails): Promise<Html[]> {
  if (reports.length === 0) return []
  const measure = measureOf(reports)
  const series = errorByKind(reports, measure)
  const depth = await plotSvg({
    option: depthOption(series, layers ?? 0, measure),
    colours: pageColours,
    width: 1000,
    height: 300,
  })
  const map = mapDrawing(reports, measure)
  const name = measures[measure]
  return [
    section(
      'Error by depth',
      figure(depth, `The ${name} by decoder layer, one line per kind of linear`, legend(series)),
    ),
    section(
      'Map of the model',
      figure(
        map.svg,
        `Linears by decoder layer, coloured by their ${name}; as wide as their share of the weights`,
        map.legend,
      ),
    ),
  ]
}

function recipeSection({ run, recipe, line }: RunFacts): Html {
  const shared = Object.fromEntries(Object.entries(run.recipe).filter(([key]) => key !== 'model'))
  return section(
    'Recipe',
    table(
      'What was asked for',
      [{ title: 'Entry' }, { title: 'Value' }],
      recipe.map(({ name, value, unit }) => [name, unit === '' ? value : `${value} ${unit}`]),
    ),
    ...(line === null
      ? []
      : [
          html`<h3>As a command</h3>
            <pre>${line}</pre>`,
        ]),
    html`<h3>As JSON</h3>
      <pre>${JSON.stringify(shared, null, 2)}</pre>`,
  )
}

function linearsSection(reports: readonly LayerReport[]): Html {
  if (reports.length === 0) return none
  const error = (value: number | null) => (value === null ? nothing : errorText(value))
  const rows = reports.map((one) => [
    one.name,
    `${count(one.rows)} × ${count(one.columns)}`,
    one.method ?? '',
    bits(one.nominal_bits),
    bits(one.linear_bits),
    size(Math.round(one.bytes)),
    error(one.relative_output_error),
    error(one.relative_weight_error),
  ])
  const heads: Head[] = [
    { title: 'Linear' },
    number('Shape'),
    { title: 'Method' },
    number('Nominal bits'),
    number('Linear bits'),
    number('Bytes'),
    number('Output error', 'relative'),
    number('Weight error', 'relative'),
  ]
  return html`<section class="long">
    <h2>Linears</h2>
    ${table(`All ${reports.length} quantized linears`, heads, rows)}
  </section>`
}
