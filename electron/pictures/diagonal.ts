// The diagonal of a linear's Hessian, as its run kept it (docs/PROTOCOL.md).
import { access } from 'node:fs/promises'
import path from 'node:path'
import { PackedError } from '../packed/errors.ts'
import { openSafetensors } from '../packed/safetensors.ts'
import { scalarsToF32 } from '../packed/scalars.ts'
import { requireInside } from './inside.ts'
import { layerOf } from './linears.ts'
import type { OpenRun } from './open-run.ts'

/** [columns], in the order of the input columns; null where the run kept none. */
export async function readDiagonal(run: OpenRun, linear: string, columns: number): Promise<Float32Array | null> {
  const layer = layerOf(linear)
  if (run.diagnostics === null || layer === null) return null
  const name = path.join(run.diagnostics, `layer-${String(layer).padStart(5, '0')}.safetensors`)
  const there = await access(name).then(
    () => true,
    () => false,
  )
  if (!there) return null
  await requireInside(name, [run.diagnostics])
  const file = await openSafetensors(name)
  try {
    const tensor = file.tensors.get(`${linear}.hessian_diagonal`)
    if (!tensor) return null
    if (tensor.dtype !== 'F32' || tensor.shape.length !== 1 || tensor.shape[0] !== columns) {
      const given = `${tensor.dtype} [${tensor.shape.join(', ')}]`
      throw new PackedError(
        'packed_broken',
        `The diagonal of ${linear} in ${name} is ${given} and must be F32 [${columns}].`,
      )
    }
    return scalarsToF32('f32', await file.read(`${linear}.hessian_diagonal`))
  } finally {
    await file.close()
  }
}
