// What there is to see of every linear of a packed model.
import type { PicturedLinear, PictureKind } from '../contract/pictures.ts'
import { orderOf, splitsOf, type Layout } from '../packed/layout.ts'

/** The decoder layer that a name says; null where it says none. */
export function layerOf(linear: string): number | null {
  const layer = /\.layers\.(\d+)\./.exec(linear)?.[1]
  return layer === undefined ? null : Number(layer)
}

export function describeLinear(name: string, layout: Layout, original: boolean): PicturedLinear {
  return {
    name,
    layer: layerOf(name),
    kind: name.slice(name.lastIndexOf('.') + 1),
    rows: layout.rows,
    columns: layout.columns,
    method: layout.method,
    blocksize: 'group' in layout ? layout.group : layout.blocksize,
    ordered: orderOf(layout) !== undefined,
    pictures: picturesOf(layout, original),
    code_bits: 'bits' in layout ? layout.bits : null,
    second_columns: secondColumns(layout),
    groups: 'salient_columns' in layout ? splitsOf(layout) + 1 : null,
    salient_weights: 'salient_weights' in layout ? layout.salient_weights : 0,
  }
}

function secondColumns(layout: Layout): number {
  if ('salient_columns' in layout) return layout.salient_columns
  return 'second_columns' in layout ? layout.second_columns : 0
}

export function picturesOf(layout: Layout, original: boolean): PictureKind[] {
  const second = secondColumns(layout)
  const kinds: PictureKind[] = original ? ['original', 'quantized', 'error', 'sign'] : ['quantized', 'sign']
  if (second > 0) kinds.push('second')
  // Where every column has a second sign, none stands out.
  if (second > 0 && second < layout.columns) kinds.push('salient')
  if ('salient_weights' in layout) kinds.push('mask')
  if ('salient_columns' in layout) kinds.push('group')
  if ('bits' in layout) kinds.push('code')
  return kinds
}
