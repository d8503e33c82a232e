// A kind of linear has one colour and one sign in every chart: the sign for those who do not see the colour.

const known: Record<string, readonly [light: string, dark: string, symbol: string]> = {
  q_proj: ['#0072b2', '#56a8dc', 'circle'],
  k_proj: ['#2a9bb5', '#7fd4ea', 'rect'],
  v_proj: ['#007a5a', '#3dbf97', 'triangle'],
  o_proj: ['#6a51a3', '#a796dd', 'diamond'],
  gate_proj: ['#c75000', '#f08a4b', 'circle'],
  up_proj: ['#8a6d00', '#d8b93a', 'rect'],
  down_proj: ['#a8437f', '#dd86b9', 'triangle'],
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
