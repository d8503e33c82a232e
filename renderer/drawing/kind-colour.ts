// A kind of linear has one colour and one sign in every chart: the sign for those who do not see the colour. Families name the
// linear at one place of the block differently, and some fuse two or three; no model has two names for a place.

type Look = readonly [light: string, dark: string, symbol: string]
const queries: Look = ['#0072b2', '#56a8dc', 'circle']
const output: Look = ['#6a51a3', '#a796dd', 'diamond']
const gate: Look = ['#c75000', '#f08a4b', 'circle']
const down: Look = ['#a8437f', '#dd86b9', 'triangle']
const known: Record<string, Look> = {
  q_proj: queries,
  k_proj: ['#2a9bb5', '#7fd4ea', 'rect'],
  v_proj: ['#007a5a', '#3dbf97', 'triangle'],
  qkv_proj: queries,
  o_proj: output,
  out_proj: output,
  gate_proj: gate,
  up_proj: ['#8a6d00', '#d8b93a', 'rect'],
  gate_up_proj: gate,
  fc1: gate,
  down_proj: down,
  fc2: down,
}
const other = ['#5b6470', '#aab3bf', 'circle'] as const
const of = (kind: string) => known[kind] ?? known[`${kind}_proj`] ?? other

/** As CSS, for both themes. */
export const kindColour = (kind: string): string => `light-dark(${of(kind)[0]}, ${of(kind)[1]})`

/** As ECharts names it. */
export const kindSymbol = (kind: string): string => of(kind)[2]

/** In the order of the decoder block; kinds that are not known come last, by name. */
export function inBlockOrder(kinds: Iterable<string>): string[] {
  const order = Object.keys(known)
  const place = (kind: string) => {
    const at = order.findIndex((name) => name === kind || name === `${kind}_proj`)
    return at < 0 ? order.length : at
  }
  return [...new Set(kinds)].sort((a, b) => place(a) - place(b) || a.localeCompare(b))
}

/** q_proj is shown as q. */
export const kindName = (kind: string): string => kind.replace(/_proj$/, '')
