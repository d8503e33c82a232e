// The measured table as groups of options: what each candidate costs on each linear, at worst, and what it loses.
import { linearRecipes, type LinearRecipe, type Override } from '../../contract/overrides.ts'
import type { Linear } from '../../contract/records.ts'
import type { Measured } from '../../contract/plan.ts'
import { inputOf, type Measures } from '../forecast.ts'
import { linearCost, orderBytes, salientColumns, sum } from '../linear.ts'
import { dtypeBytes } from '../stored.ts'
import type { Group, Option } from './allocate.ts'

export type Item = {
  linear: Linear
  /** By candidate, or the one that a person's override makes of it. */
  options: (Option & { error: number })[]
  fixed: boolean
}

/** Linears of one input, which have an order in common. */
export type ItemGroup = Item[]
export const groupOf = (group: ItemGroup): Group => group.map(({ options }) => options)

const none: LinearRecipe = { method: 'rtn', parameters: {} }

/** `overrides`: a person's; linears that one of them matches have their recipe. */
export function itemsOf(measured: Measured, model: Measures, overrides: readonly Override[]): ItemGroup[] {
  const names = model.linears.map(({ name }) => name)
  const decided = linearRecipes({ ...none, overrides }, names)
  const rows = new Map(measured.linears.map((row) => [row.name, row]))
  const groups = new Map<string, ItemGroup>()
  for (const linear of model.linears) {
    const its = decided.get(linear.name)
    const fixed = !isUndecided(linear.name, overrides)
    const row = rows.get(linear.name)
    const options = fixed
      ? [{ ...(its ? bytesOf(its, linear) : kept(linear, model)), loss: 0, error: 0 }]
      : measured.candidates.map((recipe, i) => {
          const error = row?.errors[i] ?? 0
          return { ...bytesOf(recipe, linear), loss: (row?.sensitivity ?? 0) * error ** 2, error }
        })
    const key = inputOf(linear)
    groups.set(key, [...(groups.get(key) ?? []), { linear, options, fixed }])
  }
  return [...groups.values()]
}

const isUndecided = (name: string, overrides: readonly Override[]) =>
  overrides.every(({ match }) => !new RegExp(match).test(name))

type Bytes = Pick<Option, 'bytes' | 'shared'>

function bytesOf({ method, parameters }: LinearRecipe, { rows, columns }: Linear): Bytes {
  const salient = salientColumns(method, parameters, columns)?.most ?? 0
  const bytes = sum(linearCost(method, parameters, { rows, columns }, salient).bytes)
  return { bytes, shared: orderBytes(method, parameters, columns) }
}

const kept = ({ rows, columns, dtype }: Linear, model: Measures): Bytes => ({
  bytes: rows * columns * (dtypeBytes[dtype ?? model.dtype] ?? 4),
  shared: 0,
})
