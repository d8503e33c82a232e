import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocate, allocation, fewest, totals, type Group, type Option } from './allocate.ts'

const anyOption = fc.record({
  bytes: fc.integer({ min: 0, max: 40 }),
  loss: fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000),
  shared: fc.constantFrom(0, 0, 6),
})
const anyGroup = (items: number, options: number) =>
  fc.array(fc.array(anyOption, { minLength: 1, maxLength: options }), { minLength: 1, maxLength: items })

/** Every choice for a group. */
const choices = (group: Group): number[][] =>
  group.reduce<number[][]>((some, item) => some.flatMap((one) => item.map((_, place) => [...one, place])), [[]])

/** The least loss within the cap, by trying everything. */
function exhaustive(groups: readonly Group[], cap: number): number {
  let best = new Map([[0, 0]])
  for (const group of groups) {
    const next = new Map<number, number>()
    for (const [before, lost] of best) {
      for (const places of choices(group)) {
        const { bytes, loss } = totals(group, places)
        const sum = before + bytes
        if (sum <= cap) next.set(sum, Math.min(next.get(sum) ?? Infinity, lost + loss))
      }
    }
    best = next
  }
  return Math.min(...best.values())
}

test('1,000 random tables and caps: within the cap, and no single step would still be worth it', () => {
  fc.assert(
    fc.property(
      fc.array(anyGroup(3, 6), { minLength: 1, maxLength: 12 }),
      fc.double({ min: 0, max: 1.2, noNaN: true }),
      (groups, share) => {
        const [least, most] = [fewest(groups).bytes, allocate(groups, Infinity)!.bytes]
        const cap = Math.floor(least + share * (most - least)) - (share < 0.05 ? 1 : 0)
        const found = allocate(groups, cap)
        if (cap < least) {
          expect(found).toBeNull()
          return
        }
        expect(found!.bytes).toBeLessThanOrEqual(cap)
        expect(allocation(groups, found!.chosen, 0)).toMatchObject({ bytes: found!.bytes, loss: found!.loss })
        for (const [g, group] of groups.entries()) {
          for (const [i, item] of group.entries()) {
            for (const [place, option] of item.entries()) {
              if (option.loss >= item[found!.chosen[g]![i]!]!.loss) continue
              const other = found!.chosen.with(g, found!.chosen[g]!.with(i, place))
              expect(allocation(groups, other, 0).bytes).toBeGreaterThan(cap)
            }
          }
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('the fewest bytes are the fewest there are', () => {
  fc.assert(
    fc.property(fc.array(anyGroup(3, 3), { minLength: 1, maxLength: 4 }), (groups) => {
      const least = groups.map((group) => Math.min(...choices(group).map((places) => totals(group, places).bytes)))
      expect(fewest(groups).bytes).toBe(least.reduce((sum, one) => sum + one, 0))
    }),
    { numRuns: 300 },
  )
})

/** Losses as they are: less with every byte, and ever less so. */
const anyCurve = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 5 }),
    fc.double({ min: 0.01, max: 10, noNaN: true }),
  )
  .map(([steps, sensitivity]): Option[] => {
    let bytes = 0
    return steps.map((step) => ({ bytes: (bytes += step), loss: sensitivity * 2 ** (-bytes / 4), shared: 0 }))
  })

test('on curves that bend as errors do it is at most one step from the best of all choices', () => {
  fc.assert(
    fc.property(
      fc.array(anyCurve, { minLength: 2, maxLength: 7 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (items, share) => {
        const groups = items.map((item) => [item])
        const [least, most] = [fewest(groups).bytes, allocate(groups, Infinity)!.bytes]
        const cap = Math.floor(least + share * (most - least))
        const found = allocate(groups, cap)!.loss
        // The Lagrangian bound: at the price that was found nothing within the cap loses less than this.
        const widest = Math.max(
          ...items.flatMap((item) => item.slice(1).map((option, i) => item[i]!.loss - option.loss)),
        )
        const best = exhaustive(groups, cap)
        expect(found).toBeGreaterThanOrEqual(best - 1e-9)
        expect(found).toBeLessThanOrEqual(best + widest + 1e-9)
      },
    ),
    { numRuns: 300 },
  )
})

test('what a group shares is paid once, or not at all', () => {
  const item = [
    { bytes: 10, loss: 1, shared: 0 },
    { bytes: 4, loss: 1, shared: 9 },
  ]
  expect(fewest([[item]])).toMatchObject({ chosen: [[0]], bytes: 10 })
  expect(fewest([[item, item]])).toMatchObject({ chosen: [[1, 1]], bytes: 17 })
})
