// A model in the lab: its worker, and what of a text the worker reads.
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import type { Attention, Ending } from '../contract/api.ts'
import { windowOf } from '../contract/evaluation.ts'
import type { LabPlace } from '../contract/lab.ts'
import type { WorkerCalibration } from '../contract/worker.ts'
import { hessiansFolder } from '../history/place.ts'
import { inspectOriginal, readCalibration } from '../runs/checks.ts'
import { refused, type Context } from '../runs/context.ts'
import { inputsHash } from '../runs/measured.ts'
import { activationLimit } from '../runs/needs.ts'
import { settings } from '../runs/settings.ts'
import { sourceReader } from '../runs/source.ts'
import { LabSession } from '../worker/lab-session.ts'

export type Bench = { model: string; session: LabSession }

type Text = { calibration: WorkerCalibration; hessians: string | null }

/** `folder`: of this process, for tokens and activations. */
export async function openBench(
  context: Context,
  { model: asked, calibration }: Omit<LabPlace, 'linear'>,
  folder: string,
  attention: Attention,
): Promise<Ending<Bench>> {
  const inspected = await inspectOriginal(context, path.resolve(asked), attention)
  if (inspected.kind !== 'finished') return inspected
  const model = inspected.value
  let text: Text | null = null
  if (calibration !== null) {
    const resolved = { ...calibration, length: windowOf(calibration.length, model) }
    const read = await readCalibration(sourceReader(context.root), resolved, model)
    if (!read.ok) return refused(read.problem)
    const tokens = path.join(folder, 'calibration.u32')
    await writeFile(tokens, read.value.bytes)
    const { sampling, sequences, length, seed } = resolved
    const history = await context.history?.()
    const name = `${path.basename(model.path)}-${await inputsHash(model, resolved, read.value)}`
    text = {
      calibration: { tokens, sampling, sequences, length, seed },
      hessians: history?.ok ? path.join(hessiansFolder(history.value.data), name) : null,
    }
  }
  if (!context.worker.ok) return refused(context.worker.problem)
  const chosen = await settings(context)
  const session = await LabSession.open({
    program: context.worker.value,
    job: {
      version: 1,
      threads: (chosen.kind === 'finished' && chosen.value.threads) || availableParallelism(),
      model: model.path,
      calibration: text?.calibration ?? null,
      hessians: text?.hessians ?? null,
      folder,
      activation_limit: activationLimit(await context.machine.availableMemory()),
    },
    cancel: attention.cancel,
    ...(attention.onNote ? { onNote: attention.onNote } : {}),
    ...(context.silence === undefined ? {} : { silence: context.silence }),
  })
  if (session.kind !== 'finished') return session
  return { kind: 'finished', value: { model: model.path, session: session.value } }
}
