// Bytes divided among items: one option for each, the sum of the losses as small as a cap on the sum of the bytes lets it be
// (Shoham and Gersho 1988): for a price per byte every item takes what is cheapest for it, which is a point on the lower
// convex hull of its options; the price is lowered while the cap holds, and what is left is spent by the steepest steps.

export type Option = {
  bytes: number
  loss: number
  /** Bytes that the items of a group pay once between them, when one of them takes such an option; else 0. */
  shared: number
}

/** Items that may share bytes, each with at least one option. */
export type Group = readonly (readonly Option[])[]

export type Allocation = {
  /** By group and item, the place of the option. */
  chosen: number[][]
  bytes: number
  loss: number
  /** Loss per byte. */
  lambda: number
}

const halvings = 80

/** Null where not even the fewest bytes are within the cap. */
export function allocate(groups: readonly Group[], cap: number): Allocation | null {
  const at = (lambda: number) => priced(groups, lambda)
  const dear = fewest(groups)
  if (dear.bytes > cap) return null
  let best = at(0)
  if (best.bytes > cap) {
    let [low, high] = [0, 1]
    // A price at which the cap holds: at Infinity only bytes would count.
    for (best = at(high); best.bytes > cap && high < 1e30; best = at((high *= 16))) low = high
    if (best.bytes > cap) best = dear
    for (let i = 0; i < halvings && high > low; i++) {
      // The prices of models lie many powers of ten apart.
      const middle = low === 0 ? high / 1024 : Math.sqrt(low * high)
      const tried = at(middle)
      if (tried.bytes <= cap) [best, high] = [tried, middle]
      else low = middle
    }
  }
  return spend(groups, best, cap)
}

/** The allocation of fewest bytes; of equal ones that of least loss. */
export function fewest(groups: readonly Group[]): Allocation {
  return allocation(
    groups,
    groups.map((group) => bestOf(group, ({ bytes, loss }) => [bytes, loss])),
    Infinity,
  )
}

function priced(groups: readonly Group[], lambda: number): Allocation {
  return allocation(
    groups,
    groups.map((group) => bestOf(group, ({ bytes, loss }) => [loss + lambda * bytes, bytes])),
    lambda,
  )
}

type Price = (of: { bytes: number; loss: number }) => readonly [number, number]

/** The cheapest way for a group: with what is shared paid, or without the options that need it. */
function bestOf(group: Group, price: Price): number[] {
  const cheapest = (allowed: (option: Option) => boolean): number[] | null => {
    const places: number[] = []
    for (const item of group) {
      let best = -1
      for (const [place, option] of item.entries()) {
        if (allowed(option) && (best < 0 || less(price(option), price(item[best]!)))) best = place
      }
      if (best < 0) return null
      places.push(best)
    }
    return places
  }
  const [all, unshared] = [cheapest(() => true)!, cheapest(({ shared }) => shared === 0)]
  return unshared !== null && !less(price(totals(group, all)), price(totals(group, unshared))) ? unshared : all
}

const less = (a: readonly [number, number], b: readonly [number, number]) =>
  a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])

export function totals(group: Group, places: readonly number[]): { bytes: number; loss: number } {
  let [bytes, loss, shared] = [0, 0, 0]
  for (const [i, item] of group.entries()) {
    const option = item[places[i]!]!
    bytes += option.bytes
    loss += option.loss
    shared = Math.max(shared, option.shared)
  }
  return { bytes: bytes + shared, loss }
}

export function allocation(groups: readonly Group[], chosen: number[][], lambda: number): Allocation {
  let [bytes, loss] = [0, 0]
  for (const [i, group] of groups.entries()) {
    const its = totals(group, chosen[i]!)
    bytes += its.bytes
    loss += its.loss
  }
  return { chosen, bytes, loss, lambda }
}

/** What the cap leaves goes to the steps that save most per byte, one item at a time. */
export function spend(groups: readonly Group[], from: Allocation, cap: number): Allocation {
  const chosen = from.chosen.map((places) => [...places])
  let { bytes } = from
  for (;;) {
    let best: { group: number; item: number; place: number; bytes: number; slope: number } | null = null
    for (const [g, group] of groups.entries()) {
      const now = totals(group, chosen[g]!)
      for (const [i, item] of group.entries()) {
        const taken = chosen[g]![i]!
        for (const [place, option] of item.entries()) {
          const saved = item[taken]!.loss - option.loss
          if (saved <= 0) continue
          const more = totals(group, chosen[g]!.with(i, place)).bytes - now.bytes
          const slope = more <= 0 ? Infinity : saved / more
          if (bytes + more <= cap && (best === null || slope > best.slope))
            best = { group: g, item: i, place, bytes: more, slope }
        }
      }
    }
    if (best === null) return allocation(groups, chosen, from.lambda)
    chosen[best.group]![best.item] = best.place
    bytes += best.bytes
  }
}
