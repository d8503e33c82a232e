// Two models beside each other at every predicted token: means, worst tokens, worst windows. Pure.
import type { LossMeans, TokenLosses } from '../contract/token-losses.ts'
import { notPredicted, type worstOrders } from '../contract/token-losses.ts'
import type { Targets } from './targets.ts'

export type Order = (typeof worstOrders)[number]

/** One model beside another one. Arrays are [windows * predicted]. */
export type Beside = Pick<Targets, 'windows' | 'window' | 'unpredicted'> & {
  losses: Float32Array
  others: Float32Array
  /** Null where the two were not compared with each other. */
  kld: Float32Array | null
  sameTop: Uint8Array | null
}

const predictedOf = ({ window, unpredicted }: Beside) => window - unpredicted

/** The position of predicted token k. */
export function positionOf(models: Beside, k: number): number {
  const predicted = predictedOf(models)
  return Math.floor(k / predicted) * models.window + models.unpredicted + (k % predicted)
}

/** Of predicted tokens `first` to `end`. */
export function meansOf({ losses, others, kld, sameTop }: Beside, first = 0, end = losses.length): LossMeans {
  const mean = (values: Float32Array | Uint8Array) => {
    let sum = 0
    for (let k = first; k < end; k++) sum += values[k]!
    return sum / Math.max(1, end - first)
  }
  return {
    tokens: end - first,
    loss: mean(losses),
    other_loss: mean(others),
    kld: kld && mean(kld),
    same_top: sameTop && mean(sameTop),
  }
}

const badness = ({ loss, other_loss, kld }: Pick<LossMeans, 'loss' | 'other_loss' | 'kld'>, order: Order): number => {
  if (order === 'loss') return loss
  return order === 'kld' && kld !== null ? kld : loss - other_loss
}

/** The worst `most` predicted tokens, from the worst on; of equals the first. Without divergences, `kld` is `difference`. */
export function worstTokens({ losses, others, kld }: Beside, order: Order, most: number): number[] {
  const by = order === 'kld' && kld === null ? 'difference' : order
  const bad = by === 'loss' ? losses : by === 'kld' ? kld! : losses.map((loss, k) => loss - others[k]!)
  const worst: number[] = []
  for (let k = 0; k < bad.length && most > 0; k++) {
    const value = bad[k]!
    if (worst.length === most && !(value > bad[worst[most - 1]!]!)) continue
    // Few tokens come this far, and `worst` is short.
    const place = worst.findIndex((other) => bad[other]! < value)
    worst.splice(place < 0 ? worst.length : place, 0, k)
    if (worst.length > most) worst.pop()
  }
  return worst
}

export function worstWindows(models: Beside, order: Order, most: number): TokenLosses['worst_windows'] {
  const predicted = predictedOf(models)
  const windows = Array.from({ length: models.windows }, (_, place) => ({
    ...meansOf(models, place * predicted, (place + 1) * predicted),
    place,
    from: place * models.window,
  }))
  return windows.sort((a, b) => badness(b, order) - badness(a, order) || a.place - b.place).slice(0, most)
}

/** Of positions `from` to `end`: NaN, and `notPredicted`, where there is no prediction. */
export function measuresAt(models: Beside, from: number, end: number) {
  const { window, unpredicted, losses, others, kld, sameTop } = models
  const predicted = predictedOf(models)
  const at = (values: Float32Array) => {
    const out = new Float32Array(end - from).fill(NaN)
    each((k, place) => (out[place] = values[k]!))
    return out
  }
  const each = (take: (k: number, place: number) => void) => {
    for (let position = from; position < end; position++) {
      const column = (position % window) - unpredicted
      if (column >= 0) take(Math.floor(position / window) * predicted + column, position - from)
    }
  }
  const same = sameTop && new Uint8Array(end - from).fill(notPredicted)
  if (sameTop && same) each((k, place) => (same[place] = sameTop[k]!))
  return { losses: at(losses), other_losses: at(others), kld: kld && at(kld), same_top: same }
}
