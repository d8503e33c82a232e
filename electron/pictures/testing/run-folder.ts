// A run with linears that a test makes up: a packed folder, and the folder of the model that it was made from.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Layout } from '../../packed/layout.ts'
import { indexName } from '../../packed/model.ts'
import { safetensorsBytes, writeShard, type TestTensors } from '../../packed/testing/write.ts'
import type { RunPlaces } from '../open-run.ts'
import { openPictures, type PictureBook } from '../pictures.ts'

export type RunFolders = { packed: string; model: string }

/** `shards`: the files of the packed model; `originals`: those of the other one, by file name. */
export async function writeRun(
  shards: { linears: Record<string, Layout>; tensors: TestTensors }[],
  originals: Record<string, TestTensors> = {},
): Promise<RunFolders> {
  const folder = await mkdtemp(join(tmpdir(), 'signum-pictures-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const [packed, model] = [join(folder, 'packed'), join(folder, 'model')]
  await mkdir(packed)
  await mkdir(model)
  const files: Record<string, TestTensors> = {}
  for (const [k, { linears, tensors }] of shards.entries()) {
    const name = `model-0000${k + 1}-of-0000${shards.length}.safetensors`
    await writeShard(join(packed, name), linears, tensors)
    files[name] = tensors
  }
  await writeIndex(packed, files, { signum_format: '1' })
  for (const [name, tensors] of Object.entries(originals)) {
    await writeFile(join(model, name), safetensorsBytes(tensors, { format: 'pt' }))
  }
  if (Object.keys(originals).length > 1) await writeIndex(model, originals, {})
  return { packed, model }
}

async function writeIndex(folder: string, files: Record<string, TestTensors>, metadata: object): Promise<void> {
  const homes = Object.entries(files).flatMap(([file, tensors]) => Object.keys(tensors).map((name) => [name, file]))
  const sizes = Object.values(files).flatMap((tensors) => Object.values(tensors).map(({ bytes }) => bytes.length))
  const total_size = sizes.reduce((total, size) => total + size, 0)
  const index = { metadata: { total_size, ...metadata }, weight_map: Object.fromEntries(homes) as object }
  await writeFile(join(folder, indexName), JSON.stringify(index))
}

/** The pictures of these runs, numbered from 1. */
export function picturesOfRuns(...runs: RunPlaces[]): PictureBook {
  const pictures = openPictures((id) => {
    const places = typeof id === 'number' ? runs[id - 1] : undefined
    if (places) return Promise.resolve({ ok: true, value: places })
    return Promise.resolve({ ok: false, problem: { code: 'run_unknown', message: `There is no run ${id}.` } })
  })
  onTestFinished(() => pictures.close())
  return pictures
}
