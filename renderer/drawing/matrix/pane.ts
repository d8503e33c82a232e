import type { EdgeStrips } from './edges.ts'
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
  /** Numbers along the edges of the matrix. */
  edges?: EdgeStrips
  /** Whose differences may be laid over the picture: the run, and what it is compared with. */
  pair?: PictureOwner | null
}

/** In weights. */
export type MatrixPart = { row: number; column: number; rows: number; columns: number }

/** What a viewer can be asked for from outside. */
export type MatrixHandle = { picture: () => HTMLCanvasElement | null; sampled: () => number | null }
export type StripHandle = { picture: () => HTMLCanvasElement | null }
export type EdgedHandle = { around: (matrix: HTMLCanvasElement) => HTMLCanvasElement }
export type LinkedHandle = { save: () => Promise<Uint8Array<ArrayBuffer> | null> }
