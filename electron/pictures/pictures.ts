// The pictures of all runs: which there are, their tiles, single weights.
import { failure, type Problem, type Result } from '../contract/errors.ts'
import {
  tileShape,
  type Cell,
  type PictureKind,
  type Pictures,
  type PictureScale,
  type TilePlace,
} from '../contract/pictures.ts'
import { PackedError } from '../packed/errors.ts'
import { parseAddress } from './address.ts'
import { openCache } from './cache.ts'
import { readCell } from './cell.ts'
import { describeLinear, picturesOf } from './linears.ts'
import { hasOriginal, holdRuns, RunRefused, type FindRun, type OpenRun } from './open-run.ts'
import { buildPyramid, firstLevel, type Pyramid } from './pyramid.ts'
import { readScale } from './scale.ts'
import { readStrip, type Strip } from './strips.ts'
import { takeTurns, type Turns } from './turns.ts'

export type PictureAnswer = { status: number; type: string; bytes: Uint8Array<ArrayBuffer> }

export interface PictureBook {
  list(run: number): Promise<Result<Pictures>>
  scale(run: number, linear: string): Promise<Result<PictureScale>>
  /** A path as in contract/pictures.ts; 404 for every other one. */
  answer(pathname: string): Promise<PictureAnswer>
  /** The run's files may be moved or deleted afterwards. */
  forget(run: number): Promise<void>
  close(): Promise<void>
}

const stripBytes = 2 ** 27
const pyramidBytes = 2 ** 28

export function openPictures(find: FindRun): PictureBook {
  const runs = holdRuns(find)
  const turns = takeTurns()
  const strips = openCache<Strip>(stripBytes, ({ bytes }) => bytes)
  const pyramids = openCache<Pyramid>(pyramidBytes, ({ bytes }) => bytes)

  const tile = async (run: OpenRun, linear: string, kind: PictureKind, place: TilePlace): Promise<Uint8Array> => {
    const shape = shapeOf(run, linear)
    if (!picturesOf(run.packed.linears.get(linear)!, hasOriginal(run)).includes(kind)) throw noPicture(run, kind)
    if (tileShape(shape, kind, place) === null) throw new NotThere('request_invalid', 'There is no such tile.')
    const picture = { run, linear, kind, shape }
    const key = `${run.id}/${linear}/${kind}`
    if (place.level < firstLevel || kind === 'salient') {
      const { level, row } = place
      const read = () => turns((pause) => readStrip(picture, level, row, pause))
      return (await strips.get(`${key}/${level}/${row}`, read)).tile(place)
    }
    // The request may be answered before the pyramid is complete; until then the run stays open.
    const held: Turns = (work) => runs.use(run.id, () => turns(work))
    const pyramid = await pyramids.get(key, () => Promise.resolve(buildPyramid(picture, held)))
    return pyramid.tile(place).catch((error: unknown) => {
      pyramids.forget((one) => one === key)
      throw error
    })
  }
  const cell = (run: OpenRun, linear: string, row: number, column: number): Promise<Cell> => {
    const { rows, columns } = shapeOf(run, linear)
    if (row >= rows || column >= columns) throw new NotThere('request_invalid', 'There is no such weight.')
    return readCell(run, linear, row, column)
  }
  const forgetCached = (run: number) => {
    const its = (key: string) => key.startsWith(`${run}/`)
    strips.forget(its)
    pyramids.forget(its)
  }
  return {
    list: (id) => resulting(() => runs.use(id, (run) => Promise.resolve(describe(run)))),
    scale: (id, linear) =>
      resulting(() => runs.use(id, (run) => turns((pause) => readScale(run, linear, shapeOf(run, linear), pause)))),
    async answer(pathname) {
      const address = parseAddress(pathname)
      if (address === null) return problemAnswer(404, failure('request_invalid', 'There is no such picture.').problem)
      const { run: id, linear } = address
      try {
        if (address.what === 'tile') {
          const bytes = await runs.use(id, (run) => tile(run, linear, address.kind, address.place))
          return { status: 200, type: 'application/octet-stream', bytes: bytes as Uint8Array<ArrayBuffer> }
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
      strips.forget(() => true)
      pyramids.forget(() => true)
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
  throw new NotThere('tensor_missing', `Run ${run.id} has no quantized linear ${linear}.`)
}

function noPicture(run: OpenRun, kind: PictureKind): NotThere {
  const original = kind === 'original' || kind === 'error'
  if (original && !hasOriginal(run)) return new NotThere('tensor_missing', (run.original as Problem).message)
  return new NotThere('request_invalid', `This linear has no picture ${kind}.`)
}

function describe(run: OpenRun): Pictures {
  const original = hasOriginal(run)
  return {
    run: run.id,
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

const jsonAnswer = (status: number, value: unknown): PictureAnswer => ({
  status,
  type: 'application/json',
  bytes: new TextEncoder().encode(JSON.stringify(value)),
})
const problemAnswer = (status: number, problem: Problem) => jsonAnswer(status, problem)
