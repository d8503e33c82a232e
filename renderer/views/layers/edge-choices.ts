// Which numbers are seen along which edge. Pure.
import type { Edge } from '../../../electron/contract/pictures.ts'
import type { EdgeSide } from '../../drawing/matrix/edges.ts'

/** `mark` is seen better over the picture. */
export const edgesFor = (side: EdgeSide, edges: readonly Edge[]): Edge[] =>
  edges.filter(({ along, quantity }) => along === (side === 'left' ? 'rows' : 'columns') && quantity !== 'mark')

/** The Hessian above, a column scale below, left the row scale of most weights. Errors are read only when somebody asks for them. */
export function standardEdge(side: EdgeSide, edges: readonly Edge[]): Edge | null {
  const fitting = edgesFor(side, edges)
  const first = (which: (edge: Edge) => boolean) => fitting.find(which) ?? null
  switch (side) {
    case 'above':
      return first(({ quantity }) => quantity === 'hessian')
    case 'below':
      return first(({ quantity }) => quantity === 'scale')
    case 'left':
      return (
        first(({ quantity, title }) => quantity === 'scale' && !title.includes('salient')) ??
        first(({ quantity }) => quantity === 'scale')
      )
  }
}

/** `id` undefined: what fits best, as where the linear has nothing of this name; null: none. */
export function chosenEdge(side: EdgeSide, edges: readonly Edge[], id: string | null | undefined): Edge | null {
  if (id === null) return null
  return edgesFor(side, edges).find((edge) => edge.id === id) ?? standardEdge(side, edges)
}
