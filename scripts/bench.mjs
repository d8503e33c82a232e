// `npm run bench`: sets up, then measures the native library (native/bench); arguments go to the benchmark.
// `npm run bench -- decode [TYPE ...]`: how fast models generate, beside llama.cpp (bench-decode.mjs).
// `npm run bench -- model [METHOD ...]`: a whole model of 1.1 billion random weights (bench-model.mjs).
// `npm run bench -- window [TIMES]`: how soon the window is there (bench-window.mjs).
import { benchDecode } from './bench-decode.mjs'
import { benchModel } from './bench-model.mjs'
import { benchWindow } from './bench-window.mjs'
import { inRoot, main, run } from './node.mjs'
import { forCommandLine, forWindow, setup } from './setup.mjs'
import { buildWindow } from './window.mjs'

await main(async () => {
  const [what = '', ...given] = process.argv.slice(2)
  if (what === 'window') {
    await setup({ ...forWindow, packages: [...forWindow.packages, 'display'] })
    await buildWindow()
    return benchWindow(given)
  }
  await setup({ ...forCommandLine, targets: [what === 'model' ? 'signum-worker' : 'signum-bench'] })
  if (what === 'model') return benchModel(given)
  if (what === 'decode') return benchDecode(given)
  return run(inRoot('build', 'release', 'signum-bench'), process.argv.slice(2))
})
