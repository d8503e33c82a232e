// Models with rounded weights: what an export of that type should compute.
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { safetensorsBytes } from '../../models/testing/safetensors.ts'
import { scalarTypes } from '../../packed/layout.ts'
import { openSafetensors } from '../../packed/safetensors.ts'
import { scalarsToF32 } from '../../packed/scalars.ts'

/** Significant bits, and the exponent of the smallest number. */
const forms = { f16: { digits: 11, least: -24 }, bf16: { digits: 8, least: -133 } }
export type ShortType = keyof typeof forms

/** The nearest number of the type, of two the even one. Plain arithmetic, nobody's bit tricks. */
export function rounded(value: number, type: ShortType): number {
  const { digits, least } = forms[type]
  const size = Math.abs(value)
  let exponent = Math.max(Math.floor(Math.log2(size)) - digits + 1, least)
  // The logarithm is rounded too.
  if (size >= 2 ** (exponent + digits)) exponent++
  if (size < 2 ** (exponent + digits - 1) && exponent > least) exponent--
  const units = size / 2 ** exponent
  const below = Math.floor(units)
  const up = units - below > 0.5 || (units - below === 0.5 && below % 2 === 1)
  return Math.sign(value) * (below + Number(up)) * 2 ** exponent
}

/** A copy of a model folder of one file with every matrix rounded, stored as F32. */
export async function roundedFolder(source: string, target: string, type: ShortType): Promise<string> {
  await mkdir(target, { recursive: true })
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(path.join(source, name), path.join(target, name))
  }
  const opened = await openSafetensors(path.join(source, 'model.safetensors'))
  try {
    const tensors = [...opened.tensors].map(async ([name, { dtype, shape }]) => {
      const scalar = scalarTypes.find((one) => one === dtype.toLowerCase())
      if (scalar === undefined) throw new Error(`${name} is ${dtype}`)
      const stored = scalarsToF32(scalar, await opened.read(name))
      const values = shape.length < 2 ? stored : stored.map((value) => rounded(value, type))
      return [name, { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) }] as const
    })
    const bytes = safetensorsBytes(Object.fromEntries(await Promise.all(tensors)), { format: 'pt' })
    await writeFile(path.join(target, 'model.safetensors'), bytes)
  } finally {
    await opened.close()
  }
  return target
}
