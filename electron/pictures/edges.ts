// Numbers along the edges of a linear: the diagonal of its Hessian, stored scales and means by row and block or by column, the error of
// every column.
import { columnEdges, type Edge, type Shape } from '../contract/pictures.ts'
import { layoutOf } from '../packed/decode.ts'
import { splitsOf, splitsSalient, type Layout } from '../packed/layout.ts'
import { readOrder } from '../packed/parts.ts'
import { rolesOf, type RoleTensor } from '../packed/roles.ts'
import { scalarsToF32 } from '../packed/scalars.ts'
import { readDiagonal } from './diagonal.ts'
import { picturesOf } from './linears.ts'
import { hasOriginal, type OpenRun } from './open-run.ts'
import { salientRow } from './rows.ts'
import { eachSlice } from './strips.ts'
import type { Pause } from './turns.ts'

export async function listEdges(run: OpenRun, linear: string): Promise<Edge[]> {
  const layout = layoutOf(run.packed, linear)
  const pictures = picturesOf(layout, false)
  const along = (id: string, title: string, quantity: Edge['quantity']): Edge => ({
    id,
    title,
    quantity,
    along: 'columns',
    strips: 1,
  })
  const edges: Edge[] = []
  if (await readDiagonal(run, linear, layout.columns))
    edges.push(along(columnEdges.hessian, 'Hessian diagonal', 'hessian'))
  for (const one of storedEdges(layout)) edges.push(one.edge)
  if (hasOriginal(run)) edges.push(along(columnEdges.error, 'Error of the column (RMS)', 'error'))
  if (pictures.includes('salient')) edges.push(along(columnEdges.mark, 'Salient columns', 'mark'))
  if (pictures.includes('mask')) edges.push(along(columnEdges.count, 'Salient weights of the column', 'count'))
  return edges
}

/** [strips * rows] or [columns], in the order of the input columns; null: the linear has no such edge. */
export async function readEdge(run: OpenRun, linear: string, id: string, pause: Pause): Promise<Float32Array | null> {
  const layout = layoutOf(run.packed, linear)
  const pictures = picturesOf(layout, hasOriginal(run))
  switch (id) {
    case columnEdges.hessian:
      return readDiagonal(run, linear, layout.columns)
    case columnEdges.error:
      return pictures.includes('error') ? columnErrors(run, linear, layout, pause) : null
    case columnEdges.mark:
      return pictures.includes('salient') ? salientRow(run.packed, linear) : null
    case columnEdges.count:
      return layout.method === 'pb-llm' ? salientCounts(run, linear, layout, pause) : null
  }
  const found = storedEdges(layout).find(({ edge }) => edge.id === id)
  return found ? readStored(run, linear, layout, found) : null
}

type StoredEdge = { edge: Edge; tensor: RoleTensor; slot: number }

/** Every scale and mean of the layout, slot by slot. */
function storedEdges(layout: Layout): StoredEdge[] {
  return rolesOf(layout).flatMap((tensor): StoredEdge[] => {
    const quantity = tensor.role === 'mean' ? 'mean' : /scale\d?$/.test(tensor.role) ? 'scale' : null
    if (quantity === null) return []
    const { shape, rowAxis } = tensor
    const slots = shape.length === (rowAxis === null ? 2 : 3) ? shape[0]! : 1
    return Array.from({ length: slots }, (_, slot) => {
      const id = slots === 1 ? tensor.role : `${tensor.role}-${slot}`
      const along = rowAxis === null ? 'columns' : 'rows'
      const strips = rowAxis === null || rowAxis === shape.length - 1 ? 1 : shape.at(-1)!
      return { tensor, slot, edge: { id, title: titleOf(layout, tensor.role, slot, slots), quantity, along, strips } }
    })
  })
}

async function readStored(run: OpenRun, linear: string, layout: Layout, { edge, tensor, slot }: StoredEdge) {
  const { rows: m, columns: n } = layout
  const length = edge.along === 'rows' ? m * edge.strips : tensor.shape.at(-1)!
  const width = layout.scale_type === 'f32' ? 4 : 2
  const name = `${linear}.${tensor.role}`
  const stored = scalarsToF32(
    layout.scale_type,
    await run.packed.read(name, slot * length * width, (slot + 1) * length * width),
  )
  if (edge.along === 'rows') {
    const values = new Float32Array(length)
    for (let i = 0; i < m; i++) for (let t = 0; t < edge.strips; t++) values[t * m + i] = stored[i * edge.strips + t]!
    return values
  }
  // Planes of fewer columns have none for the others.
  const order = await readOrder(run.packed, layout)
  const values = new Float32Array(n).fill(NaN)
  stored.forEach((value, j) => (values[order?.[j] ?? j] = value))
  return values
}

const nth = ['First', 'Second', 'Third']

/** What a slot of a role holds, as docs/FORMAT.md says. */
function titleOf(layout: Layout, role: string, slot: number, slots: number): string {
  const name = role.startsWith('column_scale')
    ? 'Column scale'
    : role === 'mean'
      ? 'Mean'
      : role === 'code_scale'
        ? 'Step of the codes'
        : 'Row scale'
  if (layout.method === 'signum-rc') return `${name}, ${nth[Number(role.at(-1)) - 1 || 0]!.toLowerCase()} plane`
  if (layout.method === 'fdb') return `${name}, ${nth[slot]!.toLowerCase()} plane`
  if (slots === 1) return name
  if (role.startsWith('column_scale')) return `${name} ${slot + 1} of ${slots}`
  const groups = splitsOf(layout) + 1
  const salientGroups = splitsSalient(layout) ? groups : 1
  const perGroup = role === 'mean' ? 1 : 2
  const group = (place: number) =>
    place === 0 ? 'sparse' : place === groups - 1 ? 'concentrated' : `${place + 1} of ${groups}`
  if (slot >= perGroup * salientGroups) return `${name}, ${group(slot - perGroup * salientGroups)} group`
  const place = salientGroups > 1 ? `, ${group(Math.floor(slot / perGroup))} group` : ''
  const sign = perGroup === 2 ? ` ${nth[slot % 2]!.toLowerCase()} sign` : ''
  return `${name}, salient${sign}${place}`
}

async function columnErrors(run: OpenRun, linear: string, shape: Shape, pause: Pause): Promise<Float32Array> {
  const { rows, columns: n } = shape
  const squares = new Float64Array(n)
  await eachSlice({ run, linear, kind: 'error', shape }, { first: 0, end: rows }, pause, (values) => {
    for (let k = 0, j = 0; k < values.length; k++, j = j + 1 === n ? 0 : j + 1) squares[j]! += values[k]! * values[k]!
  })
  return Float32Array.from(squares, (sum) => Math.sqrt(sum / rows))
}

async function salientCounts(run: OpenRun, linear: string, layout: Layout, pause: Pause): Promise<Float32Array> {
  const counts = new Float32Array(layout.columns)
  await eachSlice({ run, linear, kind: 'mask', shape: layout }, { first: 0, end: layout.rows }, pause, (values) => {
    for (let k = 0; k < values.length; k++) counts[k % layout.columns]! += values[k]!
  })
  return counts
}
