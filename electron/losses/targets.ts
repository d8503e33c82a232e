// The file of an evaluation with what was measured at every token (docs/PROTOCOL.md, `targets`).
import { z } from 'zod'
import { protocolSchema, type Protocol } from '../contract/evaluation.ts'
import { PackedError } from '../packed/errors.ts'
import { check } from '../packed/json.ts'
import { openSafetensors, type SafetensorsFile } from '../packed/safetensors.ts'

export type Targets = {
  protocol: Protocol
  windows: number
  window: number
  /** Of a window; all but these are predicted. */
  unpredicted: number
  /** [windows * window] */
  tokens: Uint32Array<ArrayBuffer>
  /** [windows * predicted], in nats. */
  losses: Float32Array<ArrayBuffer>
  /** The same shape; null where the model was measured alone. */
  reference: { losses: Float32Array<ArrayBuffer>; kld: Float32Array<ArrayBuffer>; sameTop: Uint8Array } | null
}

const metadataSchema = z.object({
  signum_evaluation: z.literal('1'),
  protocol: protocolSchema,
  first: z.string().regex(/^\d{1,9}$/),
})

/** Throws a PackedError where the file is not there (`read_failed`) or broken. */
export async function readTargets(path: string): Promise<Targets> {
  const file = await openSafetensors(path)
  try {
    const told = check(metadataSchema, Object.fromEntries(file.metadata), `__metadata__ of ${path}`, 'shard_broken')
    const [windows = 0, window = 0] = shapeOf(file, 'tokens', 'U32')
    const [, predicted = 0] = shapeOf(file, 'losses', 'F32')
    const unpredicted = Number(told.first) + 1
    const unlike = (name: string) => shapeOf(file, name).join() !== [windows, predicted].join()
    const beside = file.tensors.has('reference_losses')
    const others = beside ? (['reference_losses', 'kld', 'same_top'] as const) : []
    if (unpredicted + predicted !== window || ['losses', ...others].some(unlike)) {
      throw new PackedError('shard_broken', `The tensors of ${path} do not fit together.`)
    }
    const floats = async (name: string) => {
      shapeOf(file, name, 'F32')
      return new Float32Array((await file.read(name)).slice().buffer)
    }
    return {
      protocol: told.protocol,
      windows,
      window,
      unpredicted,
      tokens: new Uint32Array((await file.read('tokens')).slice().buffer),
      losses: await floats('losses'),
      reference: beside
        ? {
            losses: await floats('reference_losses'),
            kld: await floats('kld'),
            sameTop: await file.read('same_top'),
          }
        : null,
    }
  } finally {
    await file.close()
  }
}

function shapeOf({ path, tensors }: SafetensorsFile, name: string, dtype?: string): readonly number[] {
  const tensor = tensors.get(name)
  if (tensor?.shape.length === 2 && (dtype === undefined || tensor.dtype === dtype)) return tensor.shape
  throw new PackedError('shard_broken', `${path} has no tensor ${name} of two dimensions.`)
}
