// `npm run demo`: sets up, then plays the demonstration (electron/cli/demo.ts) on the bundled model. Its files go to demo/.
import { inRoot, main, projectNode, run } from './node.mjs'
import { setup } from './setup.mjs'

await main(async () => {
  await setup()
  return run(projectNode(), [inRoot('electron', 'cli', 'demo.ts'), ...process.argv.slice(2)])
})
