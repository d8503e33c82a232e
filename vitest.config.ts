import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          environment: 'node',
          include: ['electron/**/*.test.ts', 'renderer/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.svelte.test.ts'],
          // Tests hold tokens.css against what canvases are painted with.
          css: true,
          setupFiles: ['electron/history/testing/own-data.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Controllers, whose state is Svelte's: compiled as for a window, which they never see.
        plugins: [svelte()],
        resolve: { conditions: ['browser'] },
        test: { name: 'controllers', environment: 'node', include: ['renderer/**/*.svelte.test.ts'] },
      },
    ],
  },
})
