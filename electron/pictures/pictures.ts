// The pictures of all runs: which there are, their tiles, single weights.
import { setTimeout } from 'node:timers/promises'
import { failure, type Problem, type Result } from '../contract/errors.ts'
import {
  pairOf,
  tileShape,
  type Cell,
  type Edge,
  type PictureDifference,
  type PicturedLinear,
  type PictureKind,
  type PackedOwner,
  type Pictures,
  type PictureScale,
} from '../contract/pictures.ts'
import { PackedError } from '../packed/errors.ts'
import { parseAddress, type Address, type TileAsked } from './address.ts'
import { openCache } from './cache.ts'
import { readCell } from './cell.ts'
import { countDifference } from './count-difference.ts'
import type { Other } from './difference.ts'
import { listEdges, readEdge } from './edges.ts'
import { describeLinear, picturesOf } from './linears.ts'
import { hasOriginal, holdRuns, ownerName, RunRefused, type FindRun, type OpenRun } from './open-run.ts'
import { packedRowsOf } from './packed-rows.ts'
import { buildPyramid, firstLevel, type Pyramid } from './pyramid.ts'
import { readSample, type Sample } from './sample.ts'
import { readScale } from './scale.ts'
import { readStrip, type PictureOf, type Strip } from './strips.ts'
import { takeTurns, type Turns } from './turns.ts'

export type PictureAnswer = {
  status: number
  type: string
  bytes: Uint8Array<ArrayBuffer>
  /** The share of the rows that a tile was made from; absent where it is exact. */
  sampled?: number
}

export interface PictureBook {
  list(run: number): Promise<Result<Pictures>>
  /** One linear of a run or of a trial. */
  linear(owner: PackedOwner, linear: string): Promise<Result<PicturedLinear>>
  scale(owner: PackedOwner, linear: string): Promise<Result<PictureScale>>
  /** The numbers along its edges that there are. */
  edges(owner: PackedOwner, linear: string): Promise<Result<Edge[]>>
  /** `other` null: the original weights. */
  difference(run: number, other: number | null, linear: string): Promise<Result<PictureDifference>>
  /** A path as in contract/pictures.ts; 404 for every other one. */
  answer(pathname: string): Promise<PictureAnswer>
  /** The owner's files may be moved or deleted afterwards. */
  forget(owner: PackedOwner): Promise<void>
  close(): Promise<void>
}

const stripBytes = 2 ** 27
const pyramidBytes = 2 ** 28
const sampleBytes = 2 ** 25
const edgeBytes = 2 ** 24
/** After so many milliseconds a coarse tile is rather told by a few rows than waited for. */
const patience = 60

type Tile = Pick<PictureAnswer, 'bytes' | 'sampled'>

export function openPictures(find: FindRun): PictureBook {
  const runs = holdRuns(find)
  const turns = takeTurns()
  const strips = openCache<Strip>(stripBytes, ({ bytes }) => bytes)
  const pyramids = openCache<Pyramid>(pyramidBytes, ({ bytes }) => bytes)
  const samples = openCache<Sample>(sampleBytes, ({ bytes }) => bytes)
  const edges = openCache<Float32Array>(edgeBytes, ({ byteLength }) => byteLength)
  const differences = openCache<PictureDifference>(edgeBytes, () => 100)

  const tile = (run: OpenRun, linear: string, { kind, ...asked }: TileAsked): Promise<Tile> => {
    const shape = shapeOf(run, linear)
    if (!picturesOf(run.packed.linears.get(linear)!, hasOriginal(run)).includes(kind)) throw noPicture(run, kind)
    return tileOf({ run, linear, kind, shape }, asked)
  }
  const tileOf = async (asked: PictureOf, { place, now }: Omit<TileAsked, 'kind'>): Promise<Tile> => {
    const { run, linear, kind, shape, other } = asked
    if (tileShape(shape, kind, place) === null) throw new NotThere('request_invalid', 'There is no such tile.')
    const picture = { ...asked, packed: await packedRowsOf(asked) }
    const key = `${other ? `${run.id}@${other === 'original' ? other : other.id}` : run.id}/${linear}/${kind}`
    if (place.level < firstLevel || kind === 'salient') {
      const { level, row } = place
      const read = () => turns((pause) => readStrip(picture, level, row, pause))
      return { bytes: (await strips.get(`${key}/${level}/${row}`, read)).tile(place) }
    }
    // The request may be answered before the pyramid is complete; until then the run stays open.
    const held: Turns = (...work) =>
      runs.use(run.id, () =>
        other && other !== 'original' ? runs.use(other.id, () => turns(...work)) : turns(...work),
      )
    const pyramid = await pyramids.get(key, () => Promise.resolve(buildPyramid(picture, held)))
    const exact = pyramid.tile(place).then(
      (bytes) => ({ bytes }),
      (error: unknown) => {
        pyramids.forget((one) => one === key)
        throw error
      },
    )
    if (!now) return exact
    const first = await Promise.race([exact, setTimeout(patience, null, { ref: false })])
    if (first !== null) return first
    // The sample meets the same problem.
    exact.catch(() => {})
    const sample = await samples.get(key, () => turns((pause) => readSample(picture, pause)))
    return { bytes: sample.tile(place), sampled: sample.share }
  }
  const cell = (run: OpenRun, linear: string, row: number, column: number): Promise<Cell> => {
    const { rows, columns } = shapeOf(run, linear)
    if (row >= rows || column >= columns) throw new NotThere('request_invalid', 'There is no such weight.')
    return readCell(run, linear, row, column)
  }
  const edge = async (run: OpenRun, linear: string, id: string): Promise<Float32Array> => {
    shapeOf(run, linear)
    const read = async () => {
      const values = await turns((pause) => readEdge(run, linear, id, pause))
      if (values) return values
      throw new NotThere('request_invalid', `This linear has no numbers ${id} along an edge.`)
    }
    return edges.get(`${run.id}/${linear}/${id}`, read)
  }
  /** With what the run is compared with open, and of the same shape. */
  const paired = <T>(run: OpenRun, other: number | 'original', linear: string, work: (other: Other) => Promise<T>) => {
    const { rows, columns } = shapeOf(run, linear)
    if (other === 'original') {
      if (!hasOriginal(run)) throw noPicture(run, 'original')
      return work('original')
    }
    return runs.use(other, (second) => {
      const its = shapeOf(second, linear)
      if (its.rows === rows && its.columns === columns) return work(second)
      throw new NotThere('request_invalid', `${linear} has another shape in run ${other}.`)
    })
  }
  const difference = (run: OpenRun, address: Extract<Address, { what: 'difference' }>) =>
    paired(run, address.other, address.linear, (other) => {
      const { linear, kind } = address
      for (const one of kind === 'change' && other !== 'original' ? [run, other] : [])
        if (!hasOriginal(one)) throw noPicture(one, 'error')
      return tileOf({ run, linear, kind, shape: shapeOf(run, linear), other }, address)
    })
  const forgetCached = (owner: PackedOwner) => {
    const its = (key: string) => key.split('/', 1)[0]!.split('@').includes(String(owner))
    for (const cache of [strips, pyramids, samples, edges, differences]) cache.forget(its)
  }
  return {
    list: (id) => resulting(() => runs.use(id, (run) => Promise.resolve(describe(id, run)))),
    linear: (owner, name) =>
      resulting(() =>
        runs.use(owner, (run) => Promise.resolve(describeLinear(name, shapeOf(run, name), hasOriginal(run)))),
      ),
    scale: (id, linear) =>
      resulting(() => runs.use(id, (run) => turns((pause) => readScale(run, linear, shapeOf(run, linear), pause)))),
    edges: (id, linear) =>
      resulting(() =>
        runs.use(id, (run) => {
          shapeOf(run, linear)
          return listEdges(run, linear)
        }),
      ),
    difference: (id, second, linear) =>
      resulting(() =>
        runs.use(id, (run) =>
          paired(run, second ?? 'original', linear, (other) =>
            differences.get(`${pairOf(id, second)}/${linear}`, () =>
              turns((pause) => countDifference(run, other, linear, shapeOf(run, linear), pause)),
            ),
          ),
        ),
      ),
    async answer(pathname) {
      const address = parseAddress(pathname)
      if (address === null) return problemAnswer(404, failure('request_invalid', 'There is no such picture.').problem)
      const { owner: id, linear } = address
      try {
        if (address.what === 'tile') return bytesAnswer(await runs.use(id, (run) => tile(run, linear, address)))
        if (address.what === 'difference') return bytesAnswer(await runs.use(id, (run) => difference(run, address)))
        if (address.what === 'edge') {
          const { buffer, byteOffset, byteLength } = await runs.use(id, (run) => edge(run, linear, address.edge))
          // What is kept stays here; the answer may be moved to another thread.
          return bytesAnswer({
            bytes: new Uint8Array(buffer, byteOffset, byteLength).slice(),
          })
        }
        return jsonAnswer(200, await runs.use(id, (run) => cell(run, linear, address.row, address.column)))
      } catch (error) {
        const problem = problemOf(error)
        return problemAnswer(error instanceof PackedError ? 500 : 404, problem)
      }
    },
    async forget(id) {
      await runs.forget(id)
      forgetCached(id)
    },
    async close() {
      await runs.close()
      for (const cache of [strips, pyramids, samples, edges, differences]) cache.forget(() => true)
    },
  }
}

/** What was asked for does not exist; nothing is broken. */
class NotThere extends RunRefused {
  constructor(...why: Parameters<typeof failure>) {
    super(failure(...why).problem)
  }
}

function shapeOf(run: OpenRun, linear: string) {
  const layout = run.packed.linears.get(linear)
  if (layout) return layout
  throw new NotThere('tensor_missing', `${ownerName(run.id)} has no quantized linear ${linear}.`)
}

function noPicture(run: OpenRun, kind: PictureKind): NotThere {
  const original = kind === 'original' || kind === 'error'
  if (original && !hasOriginal(run)) return new NotThere('tensor_missing', (run.original as Problem).message)
  return new NotThere('request_invalid', `This linear has no picture ${kind}.`)
}

function describe(id: number, run: OpenRun): Pictures {
  const original = hasOriginal(run)
  return {
    run: id,
    linears: [...run.packed.linears].map(([name, layout]) => describeLinear(name, layout, original)),
    original_problem: original ? null : (run.original as Problem),
  }
}

async function resulting<T>(work: () => Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    return { ok: false, problem: problemOf(error) }
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof RunRefused) return error.problem
  if (error instanceof PackedError) return { code: error.code, message: error.message }
  throw error
}

const bytesAnswer = (tile: Tile): PictureAnswer => ({ status: 200, type: 'application/octet-stream', ...tile })
const jsonAnswer = (status: number, value: unknown): PictureAnswer => ({
  status,
  type: 'application/json',
  bytes: new TextEncoder().encode(JSON.stringify(value)),
})
const problemAnswer = (status: number, problem: Problem) => jsonAnswer(status, problem)
