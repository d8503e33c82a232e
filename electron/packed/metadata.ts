// `__metadata__` of a shard: text values, most of them JSON.
import { z } from 'zod'
import { PackedError } from './errors.ts'
import { parseJson } from './json.ts'
import { layoutSchema, type Layout } from './layout.ts'

export const formatVersion = '1'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256 in lower-case hex')
const count = z.int().nonnegative()
const hashes = z.record(z.string(), sha256)
const treatment = { method: z.string(), parameters: z.record(z.string(), z.unknown()) }
const override = z.union([
  z.strictObject({ linears: z.array(z.string()), keep: z.literal(true) }),
  z.strictObject({ linears: z.array(z.string()), ...treatment }),
])
const recipe = z.strictObject({
  ...treatment,
  overrides: z.array(override).optional(),
  embedding_type: z.string().optional(),
  head_type: z.string().optional(),
})
const calibration = z
  .strictObject({ sha256, tokens: count, sampling: z.string(), sequences: count, length: count, seed: count })
  .nullable()
const linears = z.record(z.string(), layoutSchema)
const tables = z.record(
  z.string(),
  layoutSchema.refine(({ method }) => method === 'rtn', 'a table is not rtn'),
)

export interface ShardMetadata {
  readonly program: string
  readonly recipe: z.infer<typeof recipe>
  readonly calibration: z.infer<typeof calibration>
  /** Source file -> sha256. */
  readonly source: ReadonlyMap<string, string>
  readonly linears: ReadonlyMap<string, Layout>
  /** The embedding table and the head, where they are packed, by module. */
  readonly tables: ReadonlyMap<string, Layout>
  /** Tensor -> sha256 of its bytes. */
  readonly sha256: ReadonlyMap<string, string>
}

export function parseMetadata(metadata: ReadonlyMap<string, string>, file: string): ShardMetadata {
  const text = (key: string) => {
    const value = metadata.get(key)
    if (value === undefined) throw new PackedError('packed_broken', `The metadata of ${file} has no ${key}.`)
    return value
  }
  const json = <Schema extends z.ZodType>(key: string, schema: Schema) =>
    parseJson(schema, text(key), `${key} in the metadata of ${file}`, 'packed_broken')
  requireFormat(text('signum_format'), file)
  return {
    program: text('program'),
    recipe: json('recipe', recipe),
    calibration: json('calibration', calibration),
    source: new Map(Object.entries(json('source', hashes))),
    linears: new Map(Object.entries(json('linears', linears))),
    tables: metadata.has('tables') ? new Map(Object.entries(json('tables', tables))) : new Map(),
    sha256: new Map(Object.entries(json('sha256', hashes))),
  }
}

export function requireFormat(version: string, file: string): void {
  if (version === formatVersion) return
  throw new PackedError(
    'packed_broken',
    `${file} has packed format ${version} and this program reads ${formatVersion}.`,
  )
}
