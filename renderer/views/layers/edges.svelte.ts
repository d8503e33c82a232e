// Numbers along the edges of linears: which there are, the numbers themselves, and which of them are seen.
import type { Problem } from '../../../electron/contract/errors.ts'
import { edgePath, type Edge, type PicturedLinear } from '../../../electron/contract/pictures.ts'
import { ask } from '../../client/client.ts'
import { edgeSides, type EdgeNumbers, type EdgeSide, type EdgeStrips } from '../../drawing/matrix/edges.ts'
import { getPicture } from '../../parts/tiles.ts'
import { chosenEdge } from './edge-choices.ts'

/** Kept of what was asked for last. */
const most = 32

type Place = { run: number; linear: PicturedLinear }

export class Edges {
  /** By run and linear. */
  #edges = $state.raw<ReadonlyMap<string, Edge[] | Problem>>(new Map())
  /** By run, linear and edge. */
  #values = $state.raw<ReadonlyMap<string, Float32Array | Problem>>(new Map())
  #underway = new Set<string>()
  /** Undefined: what fits best; null: none. */
  chosen = $state.raw<Partial<Record<EdgeSide, string | null>>>({})

  choose(side: EdgeSide, id: string | null): void {
    this.chosen = { ...this.chosen, [side]: id }
  }

  /** Undefined until they are known. */
  edges(run: number, linear: PicturedLinear): Edge[] | undefined {
    const found = this.#edges.get(`${run}/${linear.name}`)
    return Array.isArray(found) ? found : undefined
  }
  problem(run: number, linear: PicturedLinear): Problem | null {
    const found = this.#edges.get(`${run}/${linear.name}`)
    return found && !Array.isArray(found) ? found : null
  }

  /** Undefined until they are there. */
  values(run: number, linear: PicturedLinear, id: string): Float32Array | Problem | undefined {
    return this.#values.get(`${run}/${linear.name}/${id}`)
  }

  /** The edge of a side, as it is chosen; null: none. */
  edgeOf(side: EdgeSide, { run, linear }: Place): Edge | null {
    return chosenEdge(side, this.edges(run, linear) ?? [], this.chosen[side])
  }

  strips(place: Place): EdgeStrips {
    const strips: EdgeStrips = {}
    for (const side of edgeSides) {
      const edge = this.edgeOf(side, place)
      const values = edge && this.values(place.run, place.linear, edge.id)
      if (edge && values instanceof Float32Array) strips[side] = numbersOf(edge, values, place.linear)
    }
    return strips
  }

  async loadEdges({ run, linear }: Place): Promise<void> {
    const key = `${run}/${linear.name}`
    if (this.#edges.has(key) || !this.#begin(key)) return
    const { value, problem } = await ask('pictureEdges', { id: run, linear: linear.name })
    this.#edges = new Map(this.#edges).set(key, problem ?? value)
    this.#underway.delete(key)
  }

  async loadValues({ run, linear }: Place, id: string): Promise<void> {
    const key = `${run}/${linear.name}/${id}`
    if (this.#values.has(key) || !this.#begin(key)) return
    let found: Float32Array | Problem
    try {
      const response = await getPicture(edgePath(run, linear.name, id), new AbortController().signal)
      found = new Float32Array(await response.arrayBuffer())
    } catch (error) {
      found = error as Problem
    }
    this.#underway.delete(key)
    this.#values = new Map([...this.#values].slice(-most + 1)).set(key, found)
  }

  #begin(key: string): boolean {
    if (this.#underway.has(key)) return false
    this.#underway.add(key)
    return true
  }
}

const numbersOf = (edge: Edge, values: Float32Array, { rows, columns }: PicturedLinear): EdgeNumbers => ({
  edge,
  values,
  length: edge.along === 'rows' ? rows : columns,
})
