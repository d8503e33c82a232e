// `npm run bench`: sets up, then measures the native library (native/bench). Arguments go to the benchmark.
import { inRoot, main, run } from './node.mjs'
import { forCommandLine, setup } from './setup.mjs'

await main(async () => {
  await setup({ ...forCommandLine, targets: ['signum-bench'] })
  return run(inRoot('build', 'release', 'signum-bench'), process.argv.slice(2))
})
