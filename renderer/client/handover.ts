// A recipe on its way from one view to New run, which takes it when it is shown next.
import type { LinearRecipe } from '../../electron/contract/overrides.ts'

export type HandedOver = LinearRecipe & { /** As it is said where it comes from. */ from: string }

let waiting: HandedOver | null = null

export const handOver = (recipe: HandedOver): void => void (waiting = recipe)

/** Once. */
export function takeOver(): HandedOver | null {
  const taken = waiting
  waiting = null
  return taken
}
