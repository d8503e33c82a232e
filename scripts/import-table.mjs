// Who may import whom (ARCHITECTURE.md), as data and as an ESLint rule. Imports go downwards only, so that a reader of one
// folder needs to know only the folders named here. `contract` is the shared language: everyone may speak it.
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { root } from './node.mjs'

/**
 * `folders`: what may be imported from the rest of the project, besides the folder's own files.
 * `packages`: the only npm packages allowed, where there is such a limit. `builtins`: false where Node's modules may not be used.
 * @typedef {{ folders: string[], packages?: string[], builtins?: false }} Row
 * @type {Record<string, Row>}
 */
export const importTable = {
  'electron/contract': { folders: [], packages: ['zod'], builtins: false },
  'electron/models': { folders: [] },
  'electron/bits': { folders: [] },
  'electron/packed': { folders: ['electron/models'] },
  'electron/pictures': { folders: ['electron/packed'] },
  'electron/worker': { folders: [] },
  'electron/history': { folders: [] },
  'electron/runs': {
    folders: ['electron/worker', 'electron/history', 'electron/models', 'electron/bits'],
  },
  'electron/generate': { folders: ['electron/worker', 'electron/models', 'electron/runs'] },
  'electron/losses': { folders: ['generate', 'models', 'packed', 'runs'].map((name) => `electron/${name}`) },
  'electron/lab': {
    folders: ['worker', 'history', 'models', 'pictures', 'runs'].map((name) => `electron/${name}`),
  },
  'electron/exports': {
    folders: ['worker', 'history', 'models', 'bits', 'packed', 'runs'].map((name) => `electron/${name}`),
  },
  'electron/workbench.ts': {
    folders: 'models bits packed pictures worker history runs exports generate losses lab'
      .split(' ')
      .map((name) => `electron/${name}`),
  },
  'electron/shell': { folders: ['electron/workbench.ts'] },
  'electron/cli': { folders: ['electron/workbench.ts'] },
  'renderer/client': { folders: [], builtins: false },
  'renderer/ui': { folders: [], builtins: false },
  'renderer/drawing': { folders: ['renderer/ui'], builtins: false },
  'renderer/parts': { folders: ['client', 'ui', 'drawing'].map((name) => `renderer/${name}`), builtins: false },
  'renderer/views': {
    folders: ['client', 'ui', 'drawing', 'parts'].map((name) => `renderer/${name}`),
    builtins: false,
  },
  'renderer/app': {
    folders: ['client', 'ui', 'drawing', 'parts', 'views'].map((name) => `renderer/${name}`),
    builtins: false,
  },
}
const everyone = 'electron/contract'
const window = 'electron/shell'

/** The row that a file belongs to; undefined for files outside electron/ and renderer/. @param {string} file from the root */
function rowOf(file) {
  // A test, or a part, of a one-file row stands beside it: workbench.test.ts.
  const parts = file.split('/')
  if (parts[0] === 'renderer') return parts.slice(0, 2).join('/')
  if (parts[0] !== 'electron' || parts.length < 2) return undefined
  return parts.length === 2 ? `electron/${parts[1]?.split('.')[0]}.ts` : `electron/${parts[1]}`
}

/**
 * Why `file` may not import `specifier`, in one sentence; undefined when it may.
 * @param {string} file from the root, with slashes @param {string} specifier as written
 */
export function objection(file, specifier) {
  const from = rowOf(file)
  if (from === undefined) return undefined
  const test = /\.test\.ts$/.test(file)
  const row = importTable[from]
  if (row === undefined) return test ? undefined : `${from} has no row in the import table (scripts/import-table.mjs)`
  if (!specifier.startsWith('.')) return packageObjection(from, row, specifier, test)
  const target = path.posix.join(path.posix.dirname(file), specifier)
  const to = rowOf(target)
  // A test may read what lies beside the sources (scripts, fixtures); a source may not.
  if (to === undefined) return test ? undefined : `${from} may not import files outside electron/ and renderer/`
  if (to === from || to === everyone || row.folders.includes(to)) return undefined
  return `${from} may not import ${to}; allowed: ${[everyone, ...row.folders].join(', ')}`
}

/** @param {string} from @param {Row} row @param {string} specifier @param {boolean} test */
function packageObjection(from, row, specifier, test) {
  if (/^electron(\/|$)/.test(specifier)) {
    return from === window ? undefined : `only ${window} may import electron`
  }
  if (test) return undefined
  if (row.builtins === false && isBuiltin(specifier)) return `${from} may not use Node's own modules (${specifier})`
  if (row.packages && !row.packages.some((name) => specifier === name || specifier.startsWith(`${name}/`))) {
    return `${from} may import only these packages: ${row.packages.join(', ')}`
  }
  return undefined
}

/** @type {import('eslint').Rule.RuleModule} */
const rule = {
  meta: { type: 'problem', schema: [], docs: { description: 'imports follow the table of who may import whom' } },
  create(context) {
    const file = path.relative(root, context.filename).split(path.sep).join('/')
    /** @param {{ source?: import('estree').Node | null | undefined }} node */
    const check = ({ source }) => {
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return
      const message = objection(file, source.value)
      if (message !== undefined) context.report({ node: source, message })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    }
  },
}

export const importTablePlugin = { rules: { 'import-table': rule } }
