// A plan made of what the real worker measured, and the run that it becomes.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
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
