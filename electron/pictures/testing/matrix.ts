// Whole pictures put together from their tiles, as a viewer does it.
import {
  cellsAt,
  encodingOf,
  shareOf,
  tilePath,
  tileShape,
  tileSize,
  type PicturedLinear,
  type PictureKind,
  type PictureOwner,
  type Shape,
  type TilePlace,
} from '../../contract/pictures.ts'
import { packedAt, packedValue, presenceIn, weightsOf, type Packing } from '../../contract/packed-tile.ts'
import type { PictureBook } from '../pictures.ts'

export type Asked = { run: PictureOwner; linear: string; kind: PictureKind; shape: Shape }

/** Row by row; shares as numbers, NaN where there is none. */
export async function wholePicture(pictures: PictureBook, asked: Asked, level = 0): Promise<number[][]> {
  const { run, linear, kind, shape } = asked
  const rows = cellsAt(kind === 'salient' ? 1 : shape.rows, level)
  const columns = cellsAt(shape.columns, level)
  const description = await pictures.list(Number.parseInt(String(run), 10))
  const listed = description.ok ? description.value.linears.find(({ name }) => name === linear) : undefined
  if (!listed) throw new Error(`no linear ${linear}`)
  const cells = Array.from({ length: rows }, () => new Array<number>(columns))
  for (let row = 0; row * tileSize < rows; row++) {
    for (let column = 0; column * tileSize < columns; column++) {
      const place = { level, row, column }
      const size = tileShape(shape, kind, place)!
      const { status, type, bytes } = await pictures.answer(tilePath(run, linear, kind, place))
      if (status !== 200) throw new Error(new TextDecoder().decode(bytes))
      if (type !== 'application/octet-stream') throw new Error(type)
      const values = valuesOf(listed, kind, place, bytes)
      if (values.length !== size.rows * size.columns)
        throw new Error(`${values.length} cells in ${JSON.stringify(size)}`)
      values.forEach((value, k) => {
        const [i, j] = [Math.floor(k / size.columns), k % size.columns]
        cells[row * tileSize + i]![column * tileSize + j] = value
      })
    }
  }
  return cells
}

function valuesOf(linear: PicturedLinear, kind: PictureKind, place: TilePlace, bytes: Uint8Array): number[] {
  const packing = packedAt(linear, kind, place.level)
  if (packing) return meansOf(linear, place, packing, new Uint32Array(bytes.slice().buffer))
  if (encodingOf(kind) === 'share') return Array.from(bytes, (byte) => shareOf(byte) ?? NaN)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 4 }, (_, k) => view.getFloat32(4 * k, true))
}

/** As the shader takes them: of the numbers that are there. */
function meansOf(linear: PicturedLinear, place: TilePlace, packing: Packing, words: Uint32Array): number[] {
  const size = weightsOf(linear, place)!
  const flags = presenceIn(words.length, size, packing.width).rows
  if (![0, 1, size.rows].includes(flags)) throw new Error(`${words.length} words for ${JSON.stringify(size)}`)
  const weights = Array.from({ length: size.rows }, (_, i) =>
    Array.from({ length: size.columns }, (_, j) => packedValue(words, size, packing, i, j)),
  )
  return coarser(weights, place.level, false).flat()
}

/** What a level must be, worked out anew from the weights: means of the numbers that are there, root mean squares for errors. */
export function coarser(cells: number[][], level: number, square: boolean): number[][] {
  const step = 2 ** level
  const rows = Math.ceil(cells.length / step)
  const columns = Math.ceil(cells[0]!.length / step)
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => {
      const inside = cells.slice(i * step, (i + 1) * step).flatMap((row) => row.slice(j * step, (j + 1) * step))
      const there = inside.filter((value) => !Number.isNaN(value))
      const mean = there.reduce((total, value) => total + (square ? value * value : value), 0) / there.length
      return square ? Math.sqrt(mean) : mean
    }),
  )
}
