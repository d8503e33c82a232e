// Which number of the linears is shown: the same for every run, and found again after a look elsewhere.
class ShownNumber {
  /** Of drawing/layer-number.ts; null: their error. */
  number = $state<string | null>(null)
}
export const shownNumber = new ShownNumber()
