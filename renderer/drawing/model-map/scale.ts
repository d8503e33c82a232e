// The map's colours, as CSS: viridis, which is even for the eye, in grey and for the colour-blind too.
import { tableOf } from '../colours.ts'

const table = tableOf('viridis')
const entry = (at: number): string => `rgb(${table.slice(4 * at, 4 * at + 3).join(' ')})`

/** `share`: 0 to 1. */
export const scaleColour = (share: number): string => entry(Math.round(255 * Math.max(0, Math.min(1, share))))

const stops = Array.from({ length: 18 }, (_, k) => entry(15 * k))
export const scaleGradient = `linear-gradient(to right, ${stops.join(', ')})`
