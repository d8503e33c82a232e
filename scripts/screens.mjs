// `npm run screens`: pictures of every screen, dark and light, into docs/screens; SIGNUM_SCREENS names another folder,
// SIGNUM_WIDTH and SIGNUM_HEIGHT another size. They are made to be looked at.
import { main } from './node.mjs'
import { forWindow, setup } from './setup.mjs'
import { stories } from './suites.mjs'
import { buildWindow } from './window.mjs'

await main(async () => {
  await setup({ ...forWindow, packages: [...forWindow.packages, 'display'] })
  await buildWindow()
  const { counts, output } = await stories('screens')
  console.log(output)
  return counts.failed > 0 ? 1 : 0
})
