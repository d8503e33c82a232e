import { test } from './app.ts'
import { runsBefore } from './runs.ts'
import { goTo } from './steps.ts'
const [w, h] = (process.env['LOOK_SIZE'] ?? '1280x800').split('x').map(Number) as [number, number]
const theme = (process.env['LOOK_THEME'] ?? 'light') as 'light' | 'dark'
test(`look`, async ({ launch }) => {
  test.setTimeout(200_000)
  const { page } = await launch({ settings: { theme }, size: { width: w, height: h }, before: runsBefore(
   { method: 'rtn', name: 'rtn, 2 bits', parameters: { bits: 2 } },
  { method: 'gptq', name: 'gptq, 2 bits', parameters: { bits: 2 } },
  { method: 'billm', name: 'billm' },
  { method: 'arb-rc', name: 'arb-rc' },
  { method: 'pb-llm', name: 'pb-llm' },
  { method: 'signum-rc', name: 'signum-rc, one plane', parameters: { second_plane: 0 } },
  { method: 'signum-rc', name: 'signum-rc, two planes', parameters: { second_plane: 1 } },
  ) })
  const shoot = async (n: string) => { await page.waitForTimeout(1200); await page.screenshot({ path: `/tmp/w/shots/all-${w}-${theme}-${n}.png` }) }
  for (const view of ['Models', 'New run', 'Runs', 'Layers', 'Lab', 'Compare', 'Prompt', 'Settings']) {
    const button = page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: view })
    if (await button.count() === 0) continue
    await button.click()
    await shoot(view)
  }
})
