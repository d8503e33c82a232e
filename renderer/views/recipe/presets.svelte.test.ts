import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseRecipe, recipeJson, type Recipe } from '../../../electron/contract/recipe.ts'
import type { ask } from '../../client/client.ts'
import { notices } from '../../client/notices.svelte.ts'
import { settings } from '../../client/settings.svelte.ts'
import { Presets, readRecipeText, sameRecipe } from './presets.svelte.ts'

const recipe = (method: string, parameters = {}): Recipe => {
  const parsed = parseRecipe({ signum_recipe: 1, method, parameters, model: '/m' }, 'a test')
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.value
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(settings, 'change').mockImplementation((changes) => {
    settings.now = { ...settings.now, ...changes }
    return Promise.resolve()
  })
  settings.now = { ...settings.now, presets: [] }
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.advanceTimersByTime(60_000)
  vi.useRealTimers()
})

const opened = (answers: Record<string, unknown> = {}) => {
  const asked: [string, unknown][] = []
  const presets = new Presets(
    ((name: string, request: unknown) => {
      asked.push([name, request])
      return Promise.resolve({ value: answers[name] ?? null, problem: null })
    }) as unknown as typeof ask,
    () => 7,
  )
  return { presets, asked, names: () => presets.list.map(({ name }) => name) }
}

test('saved without its model, chosen again as the same recipe', () => {
  const { presets } = opened()
  presets.save(' small ', recipe('rtn', { bits: 2 }))
  expect(presets.list).toMatchObject([{ name: 'small', saved_at: 7, recipe: { method: 'rtn' } }])
  expect(presets.list[0]!.recipe).not.toHaveProperty('model')
  expect(sameRecipe(presets.recipe(presets.list[0]!), { ...recipe('rtn', { bits: 2 }), model: undefined })).toBe(true)
  presets.save('  ', recipe('rtn'))
  expect(presets.list).toHaveLength(1)
})

test('a name that is there already is replaced, and that can be undone', () => {
  const { presets, names } = opened()
  presets.save('a', recipe('rtn', { bits: 2 }))
  presets.save('b', recipe('gptq'))
  presets.save('a', recipe('rtn', { bits: 3 }))
  expect(names()).toEqual(['a', 'b'])
  notices.undo()
  expect(presets.list.find(({ name }) => name === 'a')?.recipe).toMatchObject({ parameters: { bits: 2 } })
})

test('deleted with undo, into its place again, whatever was saved meanwhile', () => {
  const { presets, names } = opened()
  for (const name of ['a', 'b', 'c']) presets.save(name, recipe('rtn'))
  presets.remove('b')
  presets.save('d', recipe('rtn'))
  expect(names()).toEqual(['d', 'c', 'a'])
  expect(notices.undo()).toBe(true)
  expect(names()).toEqual(['d', 'b', 'c', 'a'])
})

test('renamed, but not to a name that another one has', () => {
  const { presets, names } = opened()
  presets.save('a', recipe('rtn'))
  presets.save('b', recipe('rtn'))
  expect([presets.rename('a', 'b'), presets.rename('a', ' '), presets.rename('a', 'c')]).toEqual([false, false, true])
  expect(names()).toEqual(['b', 'c'])
})

test('what is no recipe of this Signum is said, and not used', () => {
  const { presets } = opened()
  settings.now = { ...settings.now, presets: [{ name: 'new', saved_at: 1, recipe: { signum_recipe: 1, method: 'x' } }] }
  expect(presets.recipe(presets.list[0]!)).toBeNull()
  expect(presets.problem?.code).toBe('method_unknown')
  expect(presets.paste('{')).toBeNull()
  expect(presets.problem?.message).toBe('The text is no JSON.')
  expect(presets.paste('{"signum_recipe":1,"method":"rtn","sequences":3}')).toBeNull()
  expect(presets.problem?.message).toContain("a recipe has no key 'sequences'")
  expect(presets.paste(recipeJson(recipe('gptq')))?.method).toBe('gptq')
  expect(presets.problem).toBeNull()
  expect(readRecipeText('[]').ok).toBe(false)
})

test('opened from a file, and saved to one', async () => {
  const { presets, asked } = opened({ chooseRecipe: '/a.json', readRecipe: recipe('rtn'), chooseOutput: '/b.json' })
  expect((await presets.open())?.method).toBe('rtn')
  await presets.saveFile('My Recipe', recipe('rtn'))
  expect(asked.map(([name]) => name)).toEqual(['chooseRecipe', 'readRecipe', 'chooseOutput', 'saveRecipe'])
  expect(asked[2]![1]).toMatchObject({ suggested: 'my-recipe.json' })
  expect(asked[3]![1]).toMatchObject({ file: '/b.json' })
  const cancelled = opened()
  expect(await cancelled.presets.open()).toBeNull()
  expect(cancelled.asked).toHaveLength(1)
})
