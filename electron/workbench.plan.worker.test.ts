// A plan made of what the real worker measured, and the run that it becomes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { recipeSchema } from './contract/recipe.ts'
import { openWorkbench } from './workbench.ts'

const root = path.resolve(import.meta.dirname, '..')
const model = path.join(root, 'resources', 'models', 'signum-stories-4m')

test('a run of a plan is exactly as large as planned, and closer to the original than all linears alike', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  const workbench = (await openWorkbench(root)).at(path.join(folder, 'data'))
  try {
    const calibration = { source: 'bundled:calibration-stories', sequences: 16, length: 128 }
    const evaluations = [{ source: 'bundled:evaluation-stories' }]
    const signum = (second_plane: number) => ({
      method: 'signum-rc' as const,
      parameters: { second_plane, blocksize: 256 },
    })
    const candidates = [signum(0), signum(0.5), signum(1)]
    const budget = { by: 'linear' as const, value: 1.75 }
    const planned = await workbench.plan({ model, calibration, evaluations, candidates, budget })
    if (planned.kind !== 'finished') throw new Error(JSON.stringify(planned))
    const { recipe, plan } = planned.value
    expect(new Set(plan.choices.map(({ candidate }) => candidate)).size).toBeGreaterThan(1)
    expect(plan.uniform).toMatchObject({ candidate: 1 })

    const run = async (name: string, its: typeof recipe) => {
      const ending = await workbench.quantize({ model, recipe: its, out: path.join(folder, name) })
      if (ending.kind !== 'finished') throw new Error(JSON.stringify(ending))
      return ending.value
    }
    const mixed = await run('mixed', recipe)
    expect(mixed.bits.linear).toBe(plan.sizes.linear)
    expect(mixed.sizes.file_bytes).toBe(plan.sizes.file_bytes)
    expect(mixed.bits.linear).toBeLessThanOrEqual(1.75)
    const alike = await run('alike', { ...recipe, ...planned.value.measured.candidates[1]!, overrides: [] })
    const distance = ({ perplexity }: typeof mixed) => perplexity[0]!.comparison!.kld.mean.value!
    expect(distance(mixed)).toBeLessThan(distance(alike))
  } finally {
    await workbench.close()
    await rm(folder, { recursive: true })
  }
}, 300_000)

test('what more bits would gain of a run is known once its model was measured', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'signum-test-'))
  const workbench = (await openWorkbench(root)).at(path.join(folder, 'data'))
  try {
    const calibration = { source: 'bundled:calibration-stories', sequences: 16, length: 128 }
    const recipe = {
      signum_recipe: 1 as const,
      method: 'signum-rc' as const,
      parameters: { second_plane: 0, blocksize: 256 },
      overrides: [],
      calibration,
      evaluations: [],
    }
    const run = await workbench.quantize({ model, recipe: recipeSchema.parse(recipe), out: path.join(folder, 'run') })
    expect(run.kind, JSON.stringify(run)).toBe('finished')
    const before = await workbench.gains({ id: 1 })
    if (before.kind !== 'finished') throw new Error(JSON.stringify(before))
    expect(before.value).toMatchObject({ known: null, calibration: { source: calibration.source } })
    expect(before.value.seconds).toBeGreaterThan(0)

    const measured = await workbench.plan({ model, calibration, budget: { by: 'linear', value: 64 } })
    if (measured.kind !== 'finished') throw new Error(JSON.stringify(measured))
    const after = await workbench.gains({ id: 1 })
    if (after.kind !== 'finished' || after.value.known === null) throw new Error(JSON.stringify(after))
    const { candidates, linears } = after.value.known
    expect(linears).toHaveLength(28)
    // One plane leaves something to gain everywhere, and a second one is measured to be better.
    for (const { next, loss } of linears) {
      expect(next?.saved).toBeGreaterThan(0)
      expect(next?.saved).toBeLessThanOrEqual(loss)
      expect(candidates[next!.candidate]).toBeDefined()
    }
  } finally {
    await workbench.close()
    await rm(folder, { recursive: true })
  }
}, 300_000)
