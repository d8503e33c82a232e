// Viridis, from low to high: even steps for the eye, in grey and for the colour-blind too.
const stops = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [253, 231, 37],
] as const

/** `share`: 0 to 1. */
export function scaleColour(share: number): string {
  const at = Math.max(0, Math.min(1, share)) * (stops.length - 1)
  const low = stops[Math.floor(at)]!
  const high = stops[Math.ceil(at)]!
  const part = at - Math.floor(at)
  return `rgb(${low.map((one, channel) => Math.round(one + part * (high[channel]! - one))).join(' ')})`
}

export const scaleGradient = `linear-gradient(to right, ${stops.map((rgb) => `rgb(${rgb.join(' ')})`).join(', ')})`
