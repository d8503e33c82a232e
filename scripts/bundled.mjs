// Which npm packages went into a bundle: their licences belong in the package (scripts/third-party.mjs).
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** The file in out/. */
export const noted = (/** @type {string} */ part) => `${part}.packages.json`

/** The innermost package that a file belongs to; null for a file of the project. @param {string} file */
export function packageOf(file) {
  const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file.replaceAll('\\', '/').replace(/^\0/, ''))
  return found === null ? null : found[0]
}

/** A plugin for Vite. @param {string} part main, preload or renderer @returns {import('vite').Plugin} */
export function noteBundled(part) {
  let home = ''
  let out = ''
  return {
    name: 'note-bundled',
    apply: 'build',
    configResolved(config) {
      home = config.root
      // From the configuration: this file is bundled into it, and does not know its own place.
      out = path.resolve(config.root, config.build.outDir, '..')
    },
    generateBundle(_options, bundle) {
      // Fonts and pictures that styles name are no modules.
      const assets = Object.values(bundle).flatMap((one) => (one.type === 'asset' ? one.originalFileNames : []))
      const files = [...this.getModuleIds(), ...assets.map((file) => path.resolve(home, file))]
      const folders = new Set(files.map(packageOf).filter((folder) => folder !== null))
      const names = [...folders].map((folder) => path.relative(path.dirname(out), folder)).sort()
      mkdirSync(out, { recursive: true })
      writeFileSync(path.join(out, noted(part)), JSON.stringify(names, null, 2))
    },
  }
}
