// The name that was probably meant, for messages about unknown methods, parameters and options.

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1)
      current.push(best)
    }
    before = previous
    previous = current
  }
  return previous[b.length]!
}

/** The nearest of `names`, or null when none is near enough to be a slip of the fingers. */
export function nearest(given: string, names: readonly string[]): string | null {
  const plain = (name: string) => name.toLowerCase().replaceAll('_', '-')
  let best: string | null = null
  let distance = Infinity
  for (const name of names) {
    const d = editDistance(plain(given), plain(name))
    if (d < distance) [best, distance] = [name, d]
  }
  return distance <= Math.max(1, Math.floor(given.length / 3)) ? best : null
}

/** "; did you mean X?" or nothing, to be put behind a sentence without its full stop. */
export function didYouMean(given: string, names: readonly string[], show = (name: string) => name): string {
  const name = nearest(given, names)
  return name === null ? '' : `; did you mean ${show(name)}?`
}
