import type { PicturedLinear, PictureKind, PictureOwner, PictureScale } from '../../../electron/contract/pictures.ts'

/** One of the pictures that are seen side by side. */
export type Pane<Owner extends PictureOwner = PictureOwner> = {
  run: Owner
  /** Of the run, as people call it. */
  title: string
  /** Of the run, as CSS. */
  colour: string
  linear: PicturedLinear
  kind: PictureKind
  /** Null until it is known; the same for all panes, or they cannot be compared. */
  scale: PictureScale | null
}

/** What a viewer can be asked for from outside. */
export type MatrixHandle = { picture: () => HTMLCanvasElement | null }
export type LinkedHandle = { save: () => Promise<Uint8Array<ArrayBuffer> | null> }
