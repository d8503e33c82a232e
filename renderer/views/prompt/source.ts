// What can be asked: the original models of the library and the finished runs. Pure.
import type { ModelCard } from '../../../electron/contract/api.ts'
import type { RunSummary } from '../../../electron/contract/history.ts'

export type Source = {
  /** `model:FOLDER` or `run:ID`. */
  key: string
  name: string
  folder: string
  /** Null for an original. */
  run: RunSummary | null
  /** Of the files. */
  bytes: number | null
}

export const runKey = (id: number): string => `run:${id}`
export const modelKey = (folder: string): string => `model:${folder}`

export function sourcesOf(models: readonly ModelCard[], runs: readonly RunSummary[]): Source[] {
  const originals = models.flatMap(({ folder, name, model, problem }): Source[] =>
    model === null || problem !== null
      ? []
      : [{ key: modelKey(folder), name: `${name} (original)`, folder, run: null, bytes: model.bytes }],
  )
  const packed = runs.flatMap((run): Source[] =>
    run.folder === null
      ? []
      : [{ key: runKey(run.id), name: run.name, folder: run.folder, run, bytes: run.file_bytes }],
  )
  return [...originals, ...packed]
}

/** A run beside the model that it was made from, where that is in the library. */
export function beside(run: RunSummary, sources: readonly Source[]): string[] {
  const { model } = run.recipe
  const original = model === undefined ? [] : sources.filter(({ key }) => key === modelKey(model))
  return [...original.map(({ key }) => key), runKey(run.id)]
}
