// What docs/FORMAT.md says of a shard beyond what a decoder needs: one file has only one way to be written.
import { dtypeBytes } from '../header.ts'
import { orderOf, planesOf, splitsOf, splitsSalient, type Layout } from '../layout.ts'
import { setBits } from '../planes.ts'
import { rolesOf } from '../roles.ts'
import type { PackedShard } from '../shard.ts'

/** Sentences about what is not as the page says; none is good. `extra`: tensors that belong to no linear. */
export async function faults(shard: PackedShard, extra: readonly string[]): Promise<string[]> {
  const found: string[] = []
  if (shard.file.headerBytes % 64 !== 0) found.push(`the header has ${shard.file.headerBytes} bytes`)
  const names = [...shard.tensors.keys()]
  const sorted = [...names].sort((a, b) => elementBytes(shard, b) - elementBytes(shard, a) || (a < b ? -1 : 1))
  if (names.join() !== sorted.join()) found.push(`tensors lie as ${names.join(', ')}`)
  for (const [key, text] of shard.file.metadata) {
    if (/^[[{]/.test(text) && text !== canonical(JSON.parse(text)))
      found.push(`${key} is not sorted and dense: ${text}`)
  }
  const expected = new Set(extra)
  for (const [linear, layout] of shard.linears) {
    for (const { role } of rolesOf(layout)) expected.add(`${linear}.${role}`)
    const order = orderOf(layout)
    if (order !== undefined) expected.add(order)
    found.push(...(await paddingFaults(shard, linear, layout)))
  }
  found.push(...names.filter((name) => !expected.has(name)).map((name) => `${name} is no role`))
  for (const name of names) if (!(await shard.verify(name))) found.push(`${name} has another sha256`)
  const strangers = [...shard.metadata.sha256.keys()].filter((name) => !shard.tensors.has(name))
  return [...found, ...strangers.map((name) => `sha256 names ${name}, which is not there`)]
}

const elementBytes = (shard: PackedShard, name: string) => dtypeBytes[shard.tensors.get(name)!.dtype]

/** JSON with sorted keys and without spaces. Numbers may be written in more than one way, so they are left as they are. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    const plain = typeof inner === 'object' && inner !== null && !Array.isArray(inner)
    return plain ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner
  })
}

/** Rows of bits are padded with zeros. */
async function paddingFaults(shard: PackedShard, linear: string, layout: Layout): Promise<string[]> {
  const found: string[] = []
  for (const [role, width] of Object.entries(bitWidths(layout))) {
    const name = `${linear}.${role}`
    const stride = shard.tensors.get(name)?.shape.at(-1) ?? 0
    const bytes = await shard.read(name)
    for (let start = 0; start < bytes.length; start += stride) {
      const row = bytes.subarray(start, start + stride)
      if (setBits(row, 8 * stride).some((bit) => bit >= width)) found.push(`${name} has a bit in its padding`)
    }
  }
  return found
}

/** Bits per row of the roles that are rows of bits; of all of a stream. */
function bitWidths(layout: Layout): Record<string, number> {
  const n = layout.columns
  switch (layout.method) {
    case 'rtn':
    case 'gptq':
      return { code: n * layout.bits }
    case 'billm':
    case 'arb':
    case 'arb-x':
    case 'arb-rc': {
      const planes = { sign: n, plane2: n, salient: n }
      const groups = splitsOf(layout) > 1 ? { group2: n } : {}
      return { ...planes, ...groups, ...(splitsSalient(layout) ? { plane3: layout.salient_columns } : {}) }
    }
    case 'pb-llm': {
      const { rows: m, salient_weights: k, mask_low_bits: low } = layout
      const mask = low === 0 ? { mask: n } : { mask_low: k * low, mask_high: k + m * Math.ceil(n / 2 ** low) }
      return { ...mask, sign: n, code: k * (layout.salient_bits - 1) }
    }
    case 'fdb':
      return { sign: n, plane2: n }
    case 'signum-rc':
      return Object.fromEntries(planesOf(layout).map(({ suffix, columns }) => [`sign${suffix}`, columns]))
  }
}
