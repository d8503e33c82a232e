// `npm run bench`: sets up, then measures the native library (native/bench); arguments go to the benchmark.
// `npm run bench -- model [METHOD ...]`: a whole model of 1.1 billion random weights (bench-model.mjs).
import { benchModel } from './bench-model.mjs'
import { inRoot, main, run } from './node.mjs'
import { forCommandLine, setup } from './setup.mjs'

await main(async () => {
  const [what, ...methods] = process.argv.slice(2)
  const wholeModel = what === 'model'
  await setup({ ...forCommandLine, targets: [wholeModel ? 'signum-worker' : 'signum-bench'] })
  return wholeModel ? benchModel(methods) : run(inRoot('build', 'release', 'signum-bench'), process.argv.slice(2))
})
