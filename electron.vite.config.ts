// What the window is built from, and for which engines: those of Electron 33, the oldest that runs it (docs/PACKAGING.md).
import { defineConfig } from 'electron-vite'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { noteBundled } from './scripts/bundled.mjs'

const node = 'node20.18'
const chrome = 'chrome130'

export default defineConfig({
  main: {
    // The dependencies of package.json stay packages: one of them brings an addon, which cannot be bundled. Of zod most is never
    // used, and what is loaded before the window stands is waited for: it is bundled, without its languages.
    build: {
      target: node,
      externalizeDeps: { exclude: ['zod'] },
      rolldownOptions: {
        input: { index: 'electron/shell/main.ts', 'picture-thread': 'electron/pictures/thread.ts' },
        output: { format: 'es', entryFileNames: '[name].js' },
      },
    },
    plugins: [noteBundled('main')],
  },
  preload: {
    // Runs in a sandbox, where no package can be loaded: one file with everything in it, and no ES module.
    build: {
      target: node,
      externalizeDeps: false,
      rolldownOptions: { input: 'electron/shell/preload.ts', output: { format: 'cjs', entryFileNames: 'index.cjs' } },
    },
    plugins: [noteBundled('preload')],
  },
  renderer: {
    root: 'renderer',
    build: {
      target: chrome,
      minify: true,
      assetsInlineLimit: 0, // the content policy knows no fonts or scripts in data URLs
      rolldownOptions: { input: 'renderer/index.html' },
    },
    plugins: [svelte({ configFile: '../svelte.config.js' }), noteBundled('renderer')],
  },
})
