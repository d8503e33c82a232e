// A person's stories, played in the real Electron: one at a time, for a program keeps the machine's device to itself.
import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'build/reports/e2e',
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: true,
  projects: [
    { name: 'window', testIgnore: ['packaged.spec.ts', 'screens.spec.ts'] },
    { name: 'screens', testMatch: 'screens.spec.ts' },
    { name: 'packaged', testMatch: 'packaged.spec.ts' },
  ],
})
