// What Signum keeps only to be quicker the next time.
import { z } from 'zod'

/** `hessians`: of linears that the layer lab looked at. `measurements`: what candidate recipes lose, for plans. */
export const cacheNames = ['hessians', 'measurements'] as const
export type CacheName = (typeof cacheNames)[number]

export const cacheSchema = z.object({ name: z.enum(cacheNames), files: z.int(), bytes: z.number() })
export type Cache = z.infer<typeof cacheSchema>
