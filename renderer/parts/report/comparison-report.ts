// Several runs beside each other on one page. It is told what the table shows, and makes no calls.
import type { MakeOption } from '../../drawing/chart/option.ts'
import { plotSvg, type LegendItem } from '../../drawing/chart/picture.ts'
import { facts, figure, html, none, section, table, type Head, type Html } from './html.ts'
import { dot, legend, page, pageColours } from './page.ts'

export type ReportCell = { text: string; delta: { text: string; verdict: 'better' | 'worse' | 'same' } | null }
export type ReportRow = { name: string; colour: string; cells: readonly ReportCell[] }
export type ReportChart = {
  title: string
  label: string
  option: MakeOption
  legend: readonly LegendItem[]
  note?: string
}

export type ComparisonFacts = {
  models: readonly string[]
  baseline: string | null
  /** Without the name, which every row has. */
  columns: readonly Head[]
  rows: readonly ReportRow[]
  charts: readonly ReportChart[]
  recipes: readonly { key: string; values: readonly (string | null)[] }[]
  /** Of the recipes' columns: the first runs, where there are many. */
  recipeNames: readonly string[]
  /** How the texts were measured, one sentence each. */
  protocols: readonly string[]
  date: number
  program: string
}

const nothing = '\u2013'

export async function comparisonReport(known: ComparisonFacts): Promise<string> {
  const { models, baseline, rows, charts, recipes, recipeNames, protocols, date, program } = known
  const plots = await Promise.all(
    charts.map(({ option }) => plotSvg({ option, colours: pageColours, width: 1000, height: 380 })),
  )
  return page({
    title: `Comparison of ${rows.length} runs`,
    lead: html`<p class="muted">Runs of ${models.join(', ')}.</p>
      ${facts([
        { name: 'Runs', value: String(rows.length) },
        { name: 'Baseline', value: baseline ?? 'none', note: baseline === null ? '' : 'differences are against it' },
      ])}`,
    sections: [
      section('Numbers', numbers(known), html`<div class="muted">${protocols.map((one) => html`<p>${one}</p>`)}</div>`),
      ...charts.map(({ title, label, legend: items, note = '' }, at) =>
        section(
          title,
          figure(plots[at]!, label, legend(items)),
          note === '' ? none : html`<p class="muted">${note}</p>`,
        ),
      ),
      recipes.length === 0
        ? section('Recipes', html`<p>The recipes are the same.</p>`)
        : section(
            'Recipes',
            table(
              'Entries in which the recipes differ',
              [{ title: 'Entry' }, ...recipeNames.map((title) => ({ title }))],
              recipes.map(({ key, values }) => [key, ...values.map((value) => value ?? nothing)]),
            ),
          ),
    ],
    date,
    program,
  })
}

const numbers = ({ columns, rows }: ComparisonFacts): Html =>
  table(
    'One row a run',
    [{ title: 'Run' }, ...columns],
    rows.map(({ name, colour, cells }) => [html`${dot(colour)}${name}`, ...cells.map(cell)]),
  )

const cell = ({ text, delta }: ReportCell): Html =>
  delta === null ? html`${text}` : html`${text}<span class="delta ${delta.verdict}">${delta.text}</span>`
