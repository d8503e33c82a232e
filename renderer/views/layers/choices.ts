// What is chosen where nobody chose, and what choices there are.
import {
  pictureKinds,
  type PicturedLinear,
  type PictureKind,
  type Pictures,
} from '../../../electron/contract/pictures.ts'
import { inBlockOrder } from '../../drawing/kind-colour.ts'

export const isKind = (kind: string | undefined): kind is PictureKind =>
  (pictureKinds as readonly (string | undefined)[]).includes(kind)

/** Layer by layer, and in a layer as the block computes. */
export function inModelOrder(pictures: Pictures): Pictures {
  const kinds = inBlockOrder(pictures.linears.map(({ kind }) => kind))
  const place = ({ layer, kind }: PicturedLinear) => (layer ?? -1) * kinds.length + kinds.indexOf(kind)
  return { ...pictures, linears: pictures.linears.toSorted((a, b) => place(a) - place(b)) }
}

/** What shows best what a method did. */
export const standardKind = (linear: PicturedLinear): PictureKind => (linear.code_bits === null ? 'sign' : 'quantized')

/** What is seen beside a picture first: the original weights, or what became of them; null where there is no other. */
export function standardBeside({ pictures }: PicturedLinear, kind: PictureKind): PictureKind | null {
  const first = (['original', 'quantized', 'sign'] as const).find((one) => one !== kind && pictures.includes(one))
  return first ?? null
}

/** A name for a file that says what is in it. */
export const fileName = (run: string, linear: string, kind: string, ending = 'png') =>
  `${run}-${linear}-${kind}`.replace(/[^\w.-]+/g, '-').slice(0, 120) + `.${ending}`
