// A report's page: one file, which needs no network and no script, in the colours of the window, light or dark, and on paper light.
import tokens from '../../ui/tokens.css?raw'
import type { ChartColours } from '../../drawing/chart/option.ts'
import { symbolPath } from '../../drawing/chart/symbols.ts'
import type { LegendItem } from '../../drawing/chart/picture.ts'
import { html, none, trusted, type Html } from './html.ts'

/** A drawing in the page takes its colours from the page: so it follows the theme. */
export const pageColours: ChartColours = {
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  faint: 'var(--faint)',
  line: 'var(--line)',
  panel: 'var(--panel)',
  raised: 'var(--raised)',
  accent: 'var(--accent)',
  good: 'var(--good)',
  warn: 'var(--warn)',
  bad: 'var(--bad)',
  font: 'system-ui, sans-serif',
  dark: false,
  resolve: (css) => css,
}

const style = `
*, *::before, *::after { box-sizing: border-box; }
body { max-width: 1080px; margin: 0 auto; padding: 32px 24px 64px; background: var(--ground); color: var(--ink);
  font: 400 14px / 1.5 var(--font); font-variant-numeric: tabular-nums; }
h1 { margin: 0; font-size: 26px; font-weight: 600; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 0 0 12px; font-size: 17px; font-weight: 600; }
p { margin: 4px 0 12px; max-width: 80ch; }
.muted, figcaption, small, caption { color: var(--muted); }
section { margin-top: 24px; padding: 16px 20px 20px; border: 1px solid var(--line); border-radius: var(--radius); background: var(--panel); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px 24px; margin: 20px 0 0; }
.facts dt { color: var(--muted); font-size: 12px; }
.facts dd { margin: 0; font-size: 19px; font-weight: 500; overflow-wrap: anywhere; }
.facts small { display: block; font-size: 12px; font-weight: 400; }
table { width: 100%; border-collapse: collapse; font-size: 13px; }
caption { padding: 0 0 6px; font-size: 12px; text-align: left; }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
thead th { color: var(--muted); font-weight: 500; }
thead small { display: block; font-weight: 400; }
tbody th { font-weight: 500; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.wide { overflow-x: auto; }
.better { color: var(--good); } .worse { color: var(--bad); } .same { color: var(--muted); }
.delta { display: block; font-size: 12px; }
figure { margin: 0; } figure svg { display: block; width: 100%; height: auto; }
figcaption { margin-top: 6px; font-size: 12px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 8px 0 0; padding: 0; list-style: none; font-size: 12px; }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend svg, .dot { flex: none; width: 10px; height: 10px; }
.dot { display: inline-block; margin-right: 6px; border-radius: 50%; }
pre { margin: 0; padding: 12px; border-radius: var(--radius-small); background: var(--sunken); font: 12px / 1.5 var(--mono);
  white-space: pre-wrap; overflow-wrap: anywhere; }
h3 { margin: 16px 0 6px; font-size: 13px; font-weight: 600; }
footer { margin-top: 24px; color: var(--muted); font-size: 12px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
@media print {
  :root { color-scheme: light; }
  body { max-width: none; padding: 0; background: none; }
  section { break-inside: avoid-page; border-color: var(--line); }
  section.long { break-inside: auto; }
  tr, figure { break-inside: avoid; }
  .wide { overflow: visible; }
  pre { background: none; border: 1px solid var(--line); }
}
`

export type Page = {
  title: string
  lead: Html
  sections: readonly Html[]
  /** Milliseconds since 1970. */ date: number
  program: string
}

/** 2026-08-01 14:05 UTC: the same wherever it is read. */
export const moment = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`

export const page = ({ title, lead, sections, date, program }: Page): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="viewport" content="width=device-width" />
        <meta name="generator" content="${program}" />
        <title>${title}</title>
        <style>
          ${trusted(tokens)}${trusted(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          ${lead}
        </header>
        <main>${sections}</main>
        <footer>Written by ${program} on ${moment(date)}.</footer>
      </body>
    </html> `.markup

export const mark = (colour: string, symbol?: string): Html =>
  html`<svg viewBox="0 0 10 10" aria-hidden="true"><path d="${symbolPath(symbol)}" fill="${colour}"></path></svg>`

export const legend = (items: readonly LegendItem[]): Html =>
  items.length === 0
    ? none
    : html`<ul class="legend">
        ${items.map(({ name, colour, symbol }) => html`<li>${mark(colour, symbol)}${name}</li>`)}
      </ul>`

export const dot = (colour: string): Html => html`<span class="dot" style="background:${colour}"></span>`
