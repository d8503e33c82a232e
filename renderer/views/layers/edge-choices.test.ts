import { expect, test } from 'vitest'
import type { Edge } from '../../../electron/contract/pictures.ts'
import { chosenEdge, edgesFor, standardEdge } from './edge-choices.ts'

const edge = (id: string, quantity: Edge['quantity'], along: Edge['along'], title = id): Edge => ({
  id,
  title,
  quantity,
  along,
  strips: 1,
})
const edges = [
  edge('scale-0', 'scale', 'rows', 'Row scale, salient first sign'),
  edge('scale-2', 'scale', 'rows', 'Row scale, sparse group'),
  edge('mean-0', 'mean', 'rows'),
  edge('column_scale', 'scale', 'columns'),
  edge('column-error', 'error', 'columns'),
  edge('salient', 'mark', 'columns'),
]

test('what is seen where nobody chose', () => {
  expect(standardEdge('above', edges)).toBeNull()
  expect(standardEdge('above', [...edges, edge('hessian', 'hessian', 'columns')])?.id).toBe('hessian')
  expect(standardEdge('below', edges)?.id).toBe('column_scale')
  expect(standardEdge('left', edges)?.id).toBe('scale-2')
  expect(standardEdge('left', edges.slice(0, 1))?.id).toBe('scale-0')
  expect(standardEdge('left', [])).toBeNull()
})

test('what was chosen, where the linear has it', () => {
  expect(chosenEdge('above', edges, 'column-error')?.id).toBe('column-error')
  expect(chosenEdge('left', edges, 'mean-0')?.id).toBe('mean-0')
  expect(chosenEdge('left', edges, 'column-error')?.id).toBe('scale-2')
  expect(chosenEdge('left', edges, null)).toBeNull()
  expect(edgesFor('above', edges).map(({ id }) => id)).toEqual(['column_scale', 'column-error'])
})
