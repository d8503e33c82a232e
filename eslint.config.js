import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import ts from 'typescript-eslint'
import { importTablePlugin } from './scripts/import-table.mjs'

export default defineConfig(
  { ignores: ['out/', 'dist/', 'build/', 'demo/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  ...ts.configs.recommendedTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      globals: globals.node,
      parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] },
    },
  },
  {
    files: ['electron/**/*.ts', 'renderer/**/*.{ts,svelte}'],
    plugins: { signum: importTablePlugin },
    rules: { 'signum/import-table': 'error' },
  },
  {
    // The contract is pure: the globals that come from Node are as closed to it as Node's modules.
    files: ['electron/contract/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-globals': ['error', ...Object.keys(globals.nodeBuiltin)] },
  },
  {
    files: ['renderer/**/*.{ts,svelte}'],
    languageOptions: {
      globals: { ...Object.fromEntries(Object.keys(globals.node).map((name) => [name, 'off'])), ...globals.browser },
    },
  },
  // State here is replaced, not changed in place: plain maps do.
  { files: ['renderer/**/*.{ts,svelte}'], rules: { 'svelte/prefer-svelte-reactivity': 'off' } },
  { files: ['**/*.svelte', '**/*.svelte.ts'], languageOptions: { parserOptions: { parser: ts.parser } } },
  { files: ['**/*.{js,mjs}'], ...ts.configs.disableTypeChecked },
)
