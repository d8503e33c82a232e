// Size against perplexity on one text: what is drawn, without saying how.
import type { Table } from '../../drawing/csv.ts'
import { pareto } from './pareto.ts'
import type { Row } from './row.ts'

export type RunPoint = {
  id: number
  name: string
  x: number
  y: number
  error: number | null
  linearBits: number | null
}

/** Runs that may be compared: of one original, measured on the same tokens. */
export type Group = {
  id: string
  model: string
  points: RunPoint[]
  /** Of the runs that no other beats, from the smallest file on. */
  front: RunPoint[]
  original: { bytes: number | null; perplexity: number } | null
}

export type Scatter = {
  groups: Group[]
  /** Rows with a size, but without a finite perplexity on this text. */
  missing: number
}

export function scatterOf(rows: readonly Row[], text: string): Scatter {
  const groups = new Map<string, Group>()
  let missing = 0
  for (const row of rows) {
    if (row.fileBytes === null) continue
    const measured = row.texts.get(text)
    const perplexity = measured?.packed?.value ?? null
    if (!measured || perplexity === null) {
      missing++
      continue
    }
    const id = `${row.modelKey}\n${measured.sha256}`
    const group = groups.get(id) ?? { id, model: row.model, points: [], front: [], original: null }
    const original = measured.original?.value ?? null
    if (original !== null) group.original ??= { bytes: row.originalBytes, perplexity: original }
    const { id: run, name, fileBytes: x, linearBits } = row
    group.points.push({ id: run, name, x, y: perplexity, error: measured.packed?.standard_error ?? null, linearBits })
    groups.set(id, group)
  }
  for (const group of groups.values()) group.front = pareto(group.points).map((index) => group.points[index]!)
  return { groups: named([...groups.values()]), missing }
}

/** Two groups of one name: other tokens, or another folder of that name. */
function named(groups: Group[]): Group[] {
  const seen = new Map<string, number>()
  return groups.map((group) => {
    const times = (seen.get(group.model) ?? 0) + 1
    seen.set(group.model, times)
    return times === 1 ? group : { ...group, model: `${group.model} (${times})` }
  })
}

/** Over more than a decade and a bit, even distances would put all good runs on one line. */
export const wantsLog = (values: readonly number[]): boolean => {
  const least = Math.min(...values)
  return least > 0 && Math.max(...values) / least > 20
}

/** Round numbers below and above, with some room to both sides. */
export function roundRange(values: readonly number[]): { low: number; high: number; step: number } {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  if (!Number.isFinite(high - low)) return { low: 0, high: 1, step: 1 }
  const span = high - low || Math.abs(high) || 1
  const power = 10 ** Math.floor(Math.log10(span / 5))
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= span / 5.5)!
  const room = span * 0.06
  return { low: Math.floor((low - room) / step) * step, high: Math.ceil((high + room) / step) * step, step }
}

export const scatterTable = (groups: readonly Group[]): Table => ({
  columns: ['run', 'name', 'model', 'file bytes', 'perplexity', 'standard error', 'linear bits', 'on the Pareto line'],
  rows: groups.flatMap(({ model, points, front }) =>
    points.map((point) => {
      const { id, name, x, y, error, linearBits } = point
      return [id, name, model, x, y, error, linearBits, front.includes(point)]
    }),
  ),
})
