// How fast a run at work goes. Pure.
import type { Live } from '../../client/live.ts'

/** Weights quantized per second by the worker at work, everything that it does between them included; null before the first. */
export function rateOf({ layers, plan, clock }: Live): number | null {
  const seconds = clock.now - clock.before
  const first = plan?.resumed_layers ?? 0
  let weights = 0
  for (const { layer, rows, columns } of layers.values()) if (layer >= first) weights += rows * columns
  return weights > 0 && seconds > 0 ? weights / seconds : null
}
