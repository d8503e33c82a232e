// `npm run format`: writes every file in the project's format; `--check` only names those that are not.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { inRoot, main, projectNode, run } from './node.mjs'

await main(async () => {
  const check = process.argv.includes('--check')
  const prettier = [inRoot('node_modules', 'prettier', 'bin', 'prettier.cjs'), '--log-level=warn', '.']
  const sources = readdirSync(inRoot('native'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(h|cc|cu|cuh)$/.test(file))
    .map((file) => path.join('native', file))
  const codes = [
    await run(projectNode(), [...prettier, check ? '--check' : '--write']),
    await run('clang-format', [...(check ? ['--dry-run', '-Werror'] : ['-i']), ...sources]),
  ]
  return Math.max(...codes)
})
