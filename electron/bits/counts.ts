// How many there are of what a method stores: shared by what describes the tensors and what adds them up.
import type { MethodId, Parameters } from '../contract/methods.ts'

export type Shape = { rows: number; columns: number }

/** Bytes by what they are for. `order` is not in it: linears that share an input share one (orderBytes). */
export type LinearBytes = {
  codes: number
  signs: number
  /** Second and third signs, in fdb the second plane, or in billm and the ARB methods the plane that holds them together with the group bits. */
  second: number
  bitmaps: number
  scales: number
}

/** Weights of all of them. */
export const weightsOf = (linears: readonly Shape[]): number =>
  linears.reduce((total, { rows, columns }) => total + rows * columns, 0)

export const share = (count: number, of: number) => Math.ceil(count / of)

/** Groups of the columns that are not salient, and orders of the salient ones: two in each of their groups. */
export function groupsOf(method: MethodId, parameters: Parameters): { groups: number; orders: number } {
  const groups = method === 'billm' ? 2 : number(parameters, 'splits') + 1
  return { groups, orders: parameters['column_group_bitmap'] === true ? 2 * groups : 2 }
}

/** Columns with a second or third sign: p * n to the nearest whole number, halves upwards. */
export const secondColumns = (p: number, columns: number): number => Math.floor(p * columns + 0.5)

/** Salient weights of pb-llm, as the published program counts them: of every group of columns, at least one. */
export function salientWeights(parameters: Parameters, { rows: m, columns: n }: Shape): number {
  const kept = 1 - number(parameters, 'salient_share')
  const group = Math.min(groupOf(parameters, n), n)
  const ofGroup = (weights: number) => Math.max(1, weights - Math.min(Math.floor(weights * kept) + 1, weights))
  return Math.floor(n / group) * ofGroup(m * group) + (n % group > 0 ? ofGroup(m * (n % group)) : 0)
}

/** pb-llm's mask: a plane (0 low bits), or the Elias-Fano code that takes the fewest bytes. */
export function smallestMask(
  { rows: m, columns: n }: Shape,
  salient: number,
): { lowBits: number; low: number; high: number; bytes: number } {
  let best = { lowBits: 0, low: 0, high: 0, bytes: m * share(n, 8) }
  for (let lowBits = 1; lowBits <= 8; lowBits++) {
    const [low, high] = [share(salient * lowBits, 8), share(salient + m * share(n, 2 ** lowBits), 8)]
    if (low + high < best.bytes) best = { lowBits, low, high, bytes: low + high }
  }
  return best
}

/** Of a number below `columns`, and of a count of columns. */
export const indexBytes = (columns: number) => (columns < 65_536 ? 2 : 4)
export const groupOf = (parameters: Parameters, columns: number) => {
  const group = number(parameters, 'group')
  return group === -1 ? columns : group
}

export const number = (parameters: Parameters, key: string): number => parameters[key] as number
