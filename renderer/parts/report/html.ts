// HTML as values: whatever is put into a template is text, unless it is HTML itself. Pure.
import { plain } from '../../drawing/chart/option.ts'

export type Html = { readonly markup: string }
type Part = string | number | Html | readonly Html[]

const markupOf = (part: Part): string => {
  if (typeof part === 'string') return plain(part)
  if (typeof part === 'number') return String(part)
  return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('')
}

export const html = (texts: TemplateStringsArray, ...parts: Part[]): Html => ({
  markup: texts.map((text, at) => text + (at < parts.length ? markupOf(parts[at]!) : '')).join(''),
})

/** What somebody else wrote as markup, and is known to be safe: drawings of this program. */
export const trusted = (markup: string): Html => ({ markup })

export const none: Html = { markup: '' }

export type CellOf = string | Html
export type Head = { title: string; unit?: string; numeric?: boolean }

/** `caption`: read aloud, and seen where `shown`. The first cell of a row is its head. */
export function table(caption: string, heads: readonly Head[], rows: readonly (readonly CellOf[])[]): Html {
  const align = (at: number) => (heads[at]?.numeric ? trusted(' class="number"') : none)
  const head = heads.map(
    ({ title, unit = '' }, at) =>
      html`<th scope="col" ${align(at)}>${title}${unit === '' ? none : html`<small>${unit}</small>`}</th>`,
  )
  const body = rows.map(
    (row) =>
      html`<tr>
        ${row.map((cell, at) => (at === 0 ? html`<th scope="row">${cell}</th>` : html`<td${align(at)}>${cell}</td>`))}
      </tr>`,
  )
  return html`<div class="wide" tabindex="0" role="group" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`
}

export const section = (title: string, ...inside: Html[]): Html =>
  html`<section>
    <h2>${title}</h2>
    ${inside}
  </section>`

export const figure = (svg: string, label: string, legend: Html = none): Html =>
  html`<figure>
    <div role="img" aria-label="${label}">${trusted(svg)}</div>
    ${legend}
    <figcaption>${label}</figcaption>
  </figure>`

export const facts = (rows: readonly { name: string; value: string; note?: string }[]): Html =>
  html`<dl class="facts">
    ${rows.map(
      ({ name, value, note = '' }) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}${note === '' ? none : html`<small>${note}</small>`}</dd>
        </div>`,
    )}
  </dl>`
