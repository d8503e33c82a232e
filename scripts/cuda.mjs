// The GPU worker: built beside the other one where a CUDA compiler is found. Without it everything computes on the processor.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { inRoot, run } from './node.mjs'

const suffix = process.platform === 'win32' ? '.exe' : ''
export const cudaWorkerName = `signum-worker-cuda${suffix}`
export const cudaWorker = () => inRoot('build', 'release', cudaWorkerName)

/** nvcc where a person has it: as CUDACXX says, in PATH, in CUDA's own folder. @param {NodeJS.ProcessEnv} environment @returns {string | null} */
export function findNvcc(environment) {
  const named = environment['CUDACXX']
  if (named) return named
  const folders = (environment['PATH'] ?? '').split(path.delimiter).filter(Boolean)
  for (const home of [environment['CUDA_PATH'], environment['CUDA_HOME'], '/usr/local/cuda']) {
    if (home) folders.push(path.join(home, 'bin'))
  }
  return folders.map((folder) => path.join(folder, `nvcc${suffix}`)).find(runs) ?? null
}

function runs(/** @type {string} */ file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** After the native build. What keeps it from being built is said, and keeps nothing else from being done. @returns {Promise<string>} what was done */
export async function gpuWorker() {
  const nvcc = findNvcc(process.env)
  if (nvcc === null) {
    return 'left out: no nvcc was found, so everything computes on the processor; install the CUDA toolkit and set up again'
  }
  const folder = inRoot('build', 'release')
  const env = { ...process.env, CUDACXX: nvcc }
  const known = () =>
    /^build signum-worker-cuda(\.exe)?[: ]/m.test(readFileSync(path.join(folder, 'build.ninja'), 'utf8'))
  // CMake remembers that it found no compiler before the toolkit was installed.
  if (!known()) await run('cmake', ['-U', 'CMAKE_CUDA_COMPILER*', '-S', inRoot('native'), '-B', folder], { env })
  if (!known()) return `left out: CMake cannot use ${nvcc}; its messages are above`
  const code = await run('ninja', ['-C', folder, 'signum-worker-cuda'], { env })
  if (code !== 0 || !existsSync(cudaWorker())) return `left out: it does not build with ${nvcc}; the messages are above`
  return `built with ${nvcc}`
}
