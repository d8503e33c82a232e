// A choice for every linear as an ordinary recipe: the method that most weights have, and overrides by name for the others.
import { findMethod, unusual } from '../../contract/methods.ts'
import { patternFor, type LinearRecipe, type Override, type Treatment } from '../../contract/overrides.ts'

/** Of one pattern, so that no name need be cut: half of what an override may hold. */
const longest = 10_000

export type Chosen = { name: string; weights: number; recipe: LinearRecipe }

/** `overrides`: a person's, which come first. */
export function treatmentOf(chosen: readonly Chosen[], overrides: readonly Override[]): Treatment {
  const by = new Map<LinearRecipe, { names: string[]; weights: number }>()
  for (const { name, weights, recipe } of chosen) {
    const group = by.get(recipe) ?? { names: [], weights: 0 }
    by.set(recipe, { names: [...group.names, name], weights: group.weights + weights })
  }
  const groups = [...by].toSorted(([, a], [, b]) => b.weights - a.weights)
  const [usual, ...others] = groups
  if (usual === undefined) return { method: 'rtn', parameters: {}, overrides }
  const more = others.flatMap(([{ method: id, parameters }, { names }]) => {
    const method = findMethod(id)
    const said = method.ok ? unusual(method.value, parameters) : parameters
    return patternsFor(names).map((match): Override => ({ match, method: id, parameters: said }))
  })
  return { ...usual[0], overrides: [...overrides, ...more] }
}

/** Patterns for exactly these names, with what all of them begin with said once. */
export function patternsFor(names: readonly string[]): string[] {
  const [first = ''] = names
  if (names.length === 1) return [patternFor(first)]
  let common = first.length
  for (const name of names) while (!name.startsWith(first.slice(0, common))) common--
  // A name that ends where the others go on would be an empty alternative: whole parts only.
  common = first.lastIndexOf('.', Math.min(common, ...names.map(({ length }) => length - 1)) - 1) + 1
  const plain = (text: string) => patternFor(text).slice(1, -1)
  const parts: string[][] = [[]]
  let length = 0
  for (const name of names) {
    const rest = plain(name.slice(common))
    if (length + rest.length > longest) {
      parts.push([])
      length = 0
    }
    parts.at(-1)!.push(rest)
    length += rest.length + 1
  }
  return parts.map((rests) => `^${plain(first.slice(0, common))}(?:${rests.join('|')})$`)
}
