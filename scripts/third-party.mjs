// THIRD-PARTY.txt of a package: the licences of everything in it that is not Signum's own, but Electron, which brings its own.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { noted } from './bundled.mjs'
import { inRoot, Refusal } from './node.mjs'

/** @typedef {{ title: string, text: string }} Notice */

/** Linked into the worker or shipped beside it, and Debian's packages that say how they are licensed. */
const nativeParts = [
  { title: 'Highway', from: ['libhwy-dev'] },
  { title: 'OpenBLAS (with LAPACK)', from: ['libopenblas-pthread-dev'] },
  { title: 'JSON for Modern C++', from: ['nlohmann-json3-dev'] },
  { title: 'OpenSSL (libcrypto)', from: ['libssl-dev'] },
  { title: 'libstdc++ and libgcc', from: ['libstdc++6', 'libgcc-s1'] },
]

/** Linked into the GPU worker; NVIDIA's libraries beyond it are found on the machine, never shipped. */
const cudaRuntime = {
  title: 'NVIDIA CUDA Runtime (cudart, statically linked into signum-worker-cuda)',
  text: [
    'Copyright (c) NVIDIA Corporation & affiliates. All rights reserved.',
    'Distributed under the NVIDIA CUDA Toolkit End User License Agreement, whose Attachment A lists the CUDA Runtime,',
    'shared and static, among what may be distributed with an application: https://docs.nvidia.com/cuda/eula/.',
    'The driver, cuBLAS and cuSOLVER are no part of this package.',
  ].join('\n'),
}

/** @param {boolean} cuda whether the GPU worker goes along */
export function thirdParty(cuda = false) {
  const folders = new Set([...bundledPackages(), ...productionPackages()])
  const packages = [...folders].sort().map(npmNotice)
  const line = '='.repeat(100)
  const head =
    'What Signum brings along, each with its licence. Those of Electron, with Chromium and Node.js, lie beside the program'
  return [
    `${head} (LICENSE.electron.txt, LICENSES.chromium.html).\n`,
    ...[...packages, ...nativeNotices(), ...(cuda ? [cudaRuntime] : [])].map(
      ({ title, text }) => `${line}\n${title}\n${line}\n\n${text.trim()}\n`,
    ),
  ].join('\n')
}

/** Folders of what the bundles hold. */
function bundledPackages() {
  return ['main', 'preload', 'renderer'].flatMap((part) => {
    /** @type {string[]} */
    const names = JSON.parse(readFileSync(inRoot('out', noted(part)), 'utf8'))
    return names.map((name) => inRoot(name))
  })
}

/** Folders of package.json's dependencies, and of theirs. */
function productionPackages() {
  /** @type {Set<string>} */
  const found = new Set()
  const visit = (/** @type {string} */ folder) => {
    for (const name of Object.keys(manifest(folder).dependencies ?? {})) {
      const there = resolve(folder, name)
      if (found.has(there)) continue
      found.add(there)
      visit(there)
    }
  }
  visit(inRoot())
  return found
}

/** Where Node finds a package: in the innermost node_modules that has it. @param {string} from @param {string} name @returns {string} */
function resolve(from, name) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const there = path.join(folder, 'node_modules', name)
    if (existsSync(there)) return there
    if (folder === inRoot()) throw new Refusal('licence_missing', `the package ${name} is not installed.`)
  }
}

/** @param {string} folder @returns {{ name: string, version: string, license?: string, dependencies?: object }} */
const manifest = (folder) => JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))

/** @param {string} folder @returns {Notice} */
export function npmNotice(folder) {
  const { name, version, license } = manifest(folder)
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /^(licenses\/.+|(licen[cs]e|copying|notice)(\.\w+|-\w+)*)$/i.test(file.replaceAll('\\', '/')))
    .sort()
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
  // Some say it in their licence file only; its first line is its name.
  const licence = license ?? texts[0]?.trim().split('\n')[0]?.trim()
  if (!licence) throw new Refusal('licence_missing', `the package ${name} does not say its licence.`)
  const text = texts.length > 0 ? texts.join('\n\n') : `Licensed under ${licence}; the package brings no text of it.`
  return { title: `${name} ${version} (${licence})`, text }
}

/** @returns {Notice[]} */
function nativeNotices() {
  return nativeParts.map(({ title, from }) => {
    const file = from.map((name) => `/usr/share/doc/${name}/copyright`).find((one) => existsSync(one))
    return { title, text: file === undefined ? 'See NOTICE.' : readFileSync(file, 'utf8') }
  })
}
