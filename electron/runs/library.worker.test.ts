import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { historyIn, newFolder } from '../history/testing/open.ts'
import type { Context } from './context.ts'
import { addModels, forgetModel, library } from './library.ts'
import { inspect } from './models.ts'
import { thisMachine } from './machine.ts'
import { findWorker, usualPlaces } from '../worker/location.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const demo = path.join(root, 'resources', 'models', 'signum-stories-4m')

async function surroundings(): Promise<{ context: Context; data: string }> {
  const data = newFolder()
  const history = await historyIn(data)
  const worker = await findWorker(usualPlaces(root))
  const context: Context = {
    root,
    version: 'test',
    worker,
    machine: thisMachine,
    history: () => Promise.resolve({ ok: true, value: history }),
  }
  return { context, data }
}

const cards = async (context: Context) => {
  const found = await library(context, {})
  if (found.kind !== 'finished') throw new Error(JSON.stringify(found))
  return found.value
}

test('the model that came with Signum is there from the start, and stays', async () => {
  const { context } = await surroundings()
  const [card, ...others] = await cards(context)
  expect(others).toEqual([])
  expect(card).toMatchObject({ name: 'signum-stories-4m', bundled: true, folder: demo, problem: null })
  expect(card?.model?.linears).toHaveLength(28)
  await forgetModel(context, { id: card!.id! })
  expect(await cards(context)).toMatchObject([{ folder: demo, bundled: true }])
})

test('a folder is added with all models below it; what is wrong with one is said and not kept', async () => {
  const { context, data } = await surroundings()
  const folder = path.join(data, 'models')
  cpSync(demo, path.join(folder, 'good'), { recursive: true })
  mkdirSync(path.join(folder, 'odd'), { recursive: true })
  writeFileSync(path.join(folder, 'odd', 'config.json'), '{"architectures": ["Mystery"]}')
  const added = await addModels(context, { folder }, {})
  expect(added).toMatchObject({
    kind: 'finished',
    value: [
      { name: 'good', bundled: false, problem: null },
      { name: 'odd', id: null, model: null, problem: { code: 'architecture_unsupported' } },
    ],
  })
  expect((await cards(context)).map(({ name }) => name)).toEqual(['signum-stories-4m', 'good'])
})

test('a model that changes on disk is looked at again', async () => {
  const { context, data } = await surroundings()
  const folder = path.join(data, 'model')
  cpSync(demo, folder, { recursive: true })
  expect(await addModels(context, { folder }, {})).toMatchObject({ kind: 'finished', value: [{ problem: null }] })
  expect((await cards(context))[1]).toMatchObject({ folder, problem: null })
  rmSync(path.join(folder, 'model.safetensors'))
  const [, card] = await cards(context)
  expect(card).toMatchObject({ folder, model: null, problem: { code: 'shard_missing' } })
  expect(card?.id).not.toBeNull()
})

test('a folder without models is refused, and the model that came with Signum can be looked at', async () => {
  const { context, data } = await surroundings()
  expect(await addModels(context, { folder: data }, {})).toMatchObject({
    kind: 'failed',
    problem: { code: 'not_a_model_folder' },
  })
  expect(await inspect(context, { folder: demo }, {})).toMatchObject({ kind: 'finished' })
})
