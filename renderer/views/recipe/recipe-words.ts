// A recipe in a few words, for lists.
import { sourceName } from '../../../electron/contract/command-line.ts'
import { findMethod, unusual } from '../../../electron/contract/methods.ts'
import { recipeSchema } from '../../../electron/contract/recipe.ts'

/** `BiLLM, blocksize=64; +1 override; calibration-broad 32 × 256`. What this Signum does not know is said as it stands there. */
export function recipeWords(json: Readonly<Record<string, unknown>>): string {
  const parsed = recipeSchema.safeParse(json)
  if (!parsed.success) return `${JSON.stringify(json['method'] ?? null)}: not known to this Signum`
  const { method: id, parameters, overrides, calibration } = parsed.data
  const method = findMethod(id)
  if (!method.ok) return id
  const changed = Object.entries(unusual(method.value, parameters)).map(([key, value]) => `${key}=${value}`)
  const parts = [[method.value.title, ...changed].join(', ')]
  if (overrides.length > 0) parts.push(`+${overrides.length} override${overrides.length === 1 ? '' : 's'}`)
  if (calibration !== null) {
    const { source, sequences, length } = calibration
    parts.push(`${sourceName(source)} ${sequences}${length === null ? '' : ` × ${length}`}`)
  }
  return parts.join('; ')
}
