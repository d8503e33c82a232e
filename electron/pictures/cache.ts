// What was computed lately, up to so many bytes.

export interface Cache<T> {
  /** The value of the key: the one that is there, or on its way, or else made now. A failed one is forgotten. */
  get(key: string, make: () => Promise<T>): Promise<T>
  forget(which: (key: string) => boolean): void
}

/** `bytesOf`: asked once a value is there. What was used least lately goes first; one value may be larger than `limit`. */
export function openCache<T>(limit: number, bytesOf: (value: T) => number): Cache<T> {
  const entries = new Map<string, { value: Promise<T>; bytes: number }>()
  const shrink = (newest: string) => {
    let total = 0
    for (const { bytes } of entries.values()) total += bytes
    for (const [key, { bytes }] of entries) {
      if (total <= limit) return
      if (key === newest) continue
      entries.delete(key)
      total -= bytes
    }
  }
  return {
    get(key, make) {
      const entry = entries.get(key) ?? { value: make(), bytes: 0 }
      const fresh = !entries.has(key)
      // Last in the map is used last.
      entries.delete(key)
      entries.set(key, entry)
      if (fresh) {
        entry.value.then(
          (value) => {
            entry.bytes = bytesOf(value)
            if (entries.get(key) === entry) shrink(key)
          },
          () => {
            if (entries.get(key) === entry) entries.delete(key)
          },
        )
      }
      return entry.value
    },
    forget(which) {
      for (const key of [...entries.keys()]) if (which(key)) entries.delete(key)
    },
  }
}
