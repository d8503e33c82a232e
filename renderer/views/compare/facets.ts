// What the runs at hand have in common, with counts: a value's count is what choosing it would show.
import {
  speaksOfArchived,
  termTest,
  type Fields,
  type Term,
  type WordKey,
} from '../../../electron/contract/run-filter.ts'

export const facetKeys = ['method', 'model', 'status', 'tag', 'text', 'device'] as const satisfies readonly WordKey[]
export type FacetKey = (typeof facetKeys)[number]
export const facetTitles: Readonly<Record<FacetKey, string>> = {
  method: 'Method',
  model: 'Model',
  status: 'Status',
  tag: 'Tag',
  text: 'Calibration',
  device: 'Device',
}

export type FacetValue = { value: string; count: number }
export type Found<R> = { rows: R[]; facets: Record<FacetKey, FacetValue[]>; archived: number }

const facetOf = (term: Term): FacetKey | null =>
  term.kind === 'words' && !term.not ? (facetKeys.find((key) => key === term.key) ?? null) : null

/** One walk over all rows: the rows that are found, and for every facet how many would be if only its own terms were other.
 * `archived`: rows that are left out only because they are archived. */
export function find<R>(rows: readonly R[], terms: readonly Term[], fields: Fields<R>): Found<R> {
  const asks = terms.map((term) => ({ facet: facetOf(term), test: termTest(term, fields) }))
  const hides = !speaksOfArchived(terms)
  const counts = Object.fromEntries(facetKeys.map((key) => [key, new Map<string, number>()])) as Record<
    FacetKey,
    Map<string, number>
  >
  const found: R[] = []
  let archived = 0
  for (const row of rows) {
    let misses: FacetKey | null | undefined = null
    for (const { facet, test } of asks) {
      if (test(row)) continue
      // A second kind of miss: no facet alone would bring it.
      misses = facet !== null && (misses === null || misses === facet) ? facet : undefined
      if (misses === undefined) break
    }
    if (misses === undefined) continue
    if (hides && fields.archived(row)) {
      if (misses === null) archived++
      continue
    }
    if (misses === null) found.push(row)
    for (const key of facetKeys) if (misses === null || misses === key) count(counts[key], fields.words[key](row))
  }
  const facets = Object.fromEntries(facetKeys.map((key) => [key, sorted(counts[key])])) as Found<R>['facets']
  return { rows: found, facets, archived }
}

function count(counts: Map<string, number>, value: string | readonly string[]): void {
  for (const one of typeof value === 'string' ? [value] : value) counts.set(one, (counts.get(one) ?? 0) + 1)
}

const sorted = (counts: ReadonlyMap<string, number>): FacetValue[] =>
  [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
