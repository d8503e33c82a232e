// What runs can compute on: the processor, and cards that a CUDA worker finds (docs/PROTOCOL.md, devices and device-plan).
import { z } from 'zod'
import { size } from './quantities.ts'

/** The device that is always there. */
export const processor = 'cpu'
/** Left to Signum: a card where the forecast fits, else the processor. */
export const automatic = 'auto'

/** A device by its id: `cpu`, `cuda:0`; or `auto`. */
export const deviceWishSchema = z.string().regex(/^(auto|cpu|cuda:\d{1,3})$/, 'auto, cpu or cuda:N')

/** One by name. */
export const deviceSchema = z.string().regex(/^(cpu|cuda:\d{1,3})$/, 'cpu or cuda:N')

export const isCard = (device: string): boolean => device.startsWith('cuda:')

/** Arithmetic of a card's products: F32, or faster ones on tensor cores (docs/METHODS.md). */
export const precisions = ['f32', 'bf16x3', 'tf32'] as const
export const precisionSchema = z.enum(precisions)
export type Precision = z.infer<typeof precisionSchema>
export const precisionWords: Record<Precision, string> = {
  f32: 'F32',
  bf16x3: 'BF16, three products',
  tf32: 'TF32',
}

export const cardSchema = z.object({
  id: z.string(),
  name: z.string(),
  uuid: z.string(),
  memory_bytes: z.number(),
  free_bytes: z.number(),
  /** Compute capability, as 9.0. */
  compute: z.string(),
})
export type Card = z.infer<typeof cardSchema>

/** Null path: not found, so that own kernels serve. */
export const deviceLibrarySchema = z.object({
  name: z.string(),
  path: z.string().nullable(),
  version: z.string().nullable(),
})

/** Of a worker's `devices`; what a worker from before there were cards does not say is as good as none. `driver`, `built`: versions of CUDA. */
export const devicesSchema = z.object({
  cpu: z.object({ threads: z.number(), simd: z.string(), blas: z.string(), memory_bytes: z.number() }),
  devices: z.array(cardSchema).default([]),
  driver: z.string().nullable().default(null),
  /** The CUDA version that the worker was built with. */
  built: z.string().nullable().default(null),
  /** Why there is no card. */
  reason: z.string().nullable().default(null),
  libraries: z.array(deviceLibrarySchema).default([]),
})
export type Devices = z.infer<typeof devicesSchema>

/** The cards, as windows and the command line show them. */
export const cardListSchema = devicesSchema.omit({ cpu: true }).extend({
  /** The CUDA worker's program; null where this build has none. */
  worker: z.string().nullable(),
  devices: z.array(
    cardSchema.extend({
      /** The run at work on it. */
      run: z.int().min(1).nullable(),
    }),
  ),
})
export type CardList = z.infer<typeof cardListSchema>

export const activationPlaces = ['device', 'pinned', 'disk'] as const
export const activationWords: Record<(typeof activationPlaces)[number], string> = {
  device: 'activations on the card',
  pinned: 'activations in the memory of the computer',
  disk: 'activations on the disk',
}

/** What a run takes of a card's memory; `advice`: what to change where it does not fit. */
export const devicePlanSchema = z.object({
  needed_bytes: z.number(),
  parts: z.array(z.object({ name: z.string(), bytes: z.number() })),
  activations: z.enum(activationPlaces),
  fits: z.boolean(),
  advice: z.string().nullable(),
  /** What the run takes of the computer's own memory. */
  host_bytes: z.number(),
})
export type DevicePlan = z.infer<typeof devicePlanSchema>

/** Where a run would compute, and why there. */
export const placementSchema = z.object({
  device: z.string(),
  name: z.string(),
  /** One sentence. */
  reason: z.string(),
  /** Of the card that was chosen, or that it came closest to fitting on; null where no card was looked at. */
  plan: devicePlanSchema.extend({ card: z.string(), available_bytes: z.number() }).nullable(),
})
export type Placement = z.infer<typeof placementSchema>

/** `NVIDIA H100 80GB HBM3 (cuda:0)`. */
export const cardTitle = ({ id, name }: Pick<Card, 'id' | 'name'>): string => `${name} (${id})`

/** What a card has and what is free of it. */
export const cardMemory = ({
  memory_bytes: all,
  free_bytes: free,
}: Pick<Card, 'memory_bytes' | 'free_bytes'>): string => `${size(all)}, ${size(free)} free`

export const noCudaWorker = 'This build has no CUDA worker: install the CUDA toolkit and run npm run setup again.'
