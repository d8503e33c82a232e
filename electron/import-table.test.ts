import { ESLint } from 'eslint'
import ts from 'typescript-eslint'
import { describe, expect, test } from 'vitest'
import { importTable } from '../scripts/import-table.mjs'
import { root } from '../scripts/node.mjs'

// The project's own configuration, on files that exist only here: without types, which come from files on disk.
const eslint = new ESLint({
  cwd: root,
  overrideConfig: [ts.configs.disableTypeChecked, { rules: { '@typescript-eslint/no-unused-vars': 'off' } }],
})

async function complaints(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: file, warnIgnored: true })
  return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId}: ${message}`)
}

const refused = {
  upwards: ['electron/models/folder.ts', "import { x } from '../runs/queue.ts'"],
  sideways: ['electron/worker/process.ts', "import { x } from '../history/runs.ts'"],
  'through a longer path': ['electron/models/deep/folder.ts', "import { x } from '../../models/../worker/process.ts'"],
  'as a type': ['electron/bits/plan.ts', "import type { X } from '../packed/read.ts'"],
  'inside a type': ['electron/bits/plan.ts', "export type X = import('../packed/read.ts').X"],
  'as a re-export': ['electron/bits/plan.ts', "export * from '../packed/read.ts'"],
  'by name, as a re-export': ['electron/bits/plan.ts', "export { x } from '../packed/read.ts'"],
  'while running': ['electron/bits/plan.ts', "export const x = import('../packed/read.ts')"],
  'contract knows nobody': ['electron/contract/records.ts', "import { x } from '../models/folder.ts'"],
  'contract has no built-ins': ['electron/contract/records.ts', "import { readFileSync } from 'node:fs'"],
  'nor under the old names': ['electron/contract/records.ts', "import { readFileSync } from 'fs'"],
  'contract has only zod': ['electron/contract/records.ts', "import log from 'electron-log'"],
  'the workbench is above': ['electron/runs/queue.ts', "import { x } from '../workbench.ts'"],
  'the command line holds the workbench only': ['electron/cli/main.ts', "import { x } from '../history/runs.ts'"],
  'the command line has no window': ['electron/cli/main.ts', "import { x } from '../shell/window.ts'"],
  'electron stays in the shell': ['electron/workbench.ts', "import { app } from 'electron'"],
  'electron and its parts': ['electron/cli/main.ts', "import { app } from 'electron/main'"],
  'even in tests': ['electron/runs/queue.test.ts', "import { app } from 'electron'"],
  'the renderer knows the contract': ['renderer/app/client.ts', "import { x } from '../../electron/models/folder.ts'"],
  'the renderer has no built-ins': ['renderer/app/client.ts', "import path from 'node:path'"],
  'a component of ui/ knows no domain': ['renderer/ui/button.ts', "import { x } from '../client/client.ts'"],
  'a drawing makes no calls': ['renderer/drawing/chart/Chart.ts', "import { x } from '../../client/client.ts'"],
  'the client is below the views': ['renderer/client/client.ts', "import { x } from '../views/runs/runs.ts'"],
  'no way out of electron/': ['electron/models/folder.ts', "import { x } from '../../scripts/node.mjs'"],
  'a folder without a row': ['electron/helpers/x.ts', "import { x } from '../contract/records.ts'"],
} as const

const allowed = {
  'the contract': ['electron/models/folder.ts', "import { x } from '../contract/records.ts'"],
  'its own folder': ['electron/models/folder.ts', "import { x } from './shards.ts'"],
  downwards: ['electron/runs/queue.ts', "import { x } from '../worker/process.ts'"],
  'everything below': ['electron/workbench.ts', "import { x } from './exports/gguf.ts'"],
  'the workbench': ['electron/cli/main.ts', "import { x } from '../workbench.ts'"],
  'electron in the shell': ['electron/shell/main.ts', "import { app } from 'electron'"],
  'a package that begins with electron': ['electron/runs/queue.ts', "import log from 'electron-log'"],
  'built-ins': ['electron/models/folder.ts', "import { readFileSync } from 'node:fs'"],
  'zod in the contract': ['electron/contract/records.ts', "import { z } from 'zod'"],
  'built-ins in a test of the contract': [
    'electron/contract/records.test.ts',
    "import { readFileSync } from 'node:fs'",
  ],
  'a view calls, draws and uses components': [
    'renderer/views/runs/runs.ts',
    "import { x } from '../../client/client.ts'; import { y } from '../../drawing/y.ts'; import { z } from '../../ui/z.ts'",
  ],
  'the contract from the renderer': ['renderer/app/client.ts', "import { x } from '../../electron/contract/api.ts'"],
} as const

describe('an import that the table forbids is reported', () => {
  test.each(Object.entries(refused))('%s', async (_, [file, code]) => {
    expect(await complaints(file, code)).toEqual([expect.stringMatching(/^signum\/import-table: /)])
  })
})

describe('an import that the table allows is not', () => {
  test.each(Object.entries(allowed))('%s', async (_, [file, code]) => {
    expect(await complaints(file, code)).toEqual([])
  })
})

test("Node's globals are closed to the contract", async () => {
  expect(await complaints('electron/contract/records.ts', 'export const x = process.platform')).toEqual([
    expect.stringMatching(/^no-restricted-globals: /),
  ])
})

test('the table has no way back up', () => {
  const below = (row: string, seen: string[]): string[] => {
    expect(seen).not.toContain(row)
    return (importTable[row]?.folders ?? []).flatMap((next) => [next, ...below(next, [...seen, row])])
  }
  expect(Object.keys(importTable).flatMap((row) => below(row, []))).not.toHaveLength(0)
})
