// `npm run demo`: sets up, then plays `signum demo` on the bundled model. Its files go to demo/.
import { inRoot, main, projectNode, run } from './node.mjs'
import { setup } from './setup.mjs'

await main(async () => {
  await setup()
  return run(projectNode(), [inRoot('electron', 'cli', 'main.ts'), 'demo', ...process.argv.slice(2)])
})
