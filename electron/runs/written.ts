// What a run leaves in its folder besides the packed model.
import { createWriteStream } from 'node:fs'
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { failure, success, type Result } from '../contract/errors.ts'
import type { Note } from '../contract/records.ts'
import { runFiles } from './folder.ts'
import type { PreparedRun } from './prepare.ts'

/** Recipe and token files: with them the folder tells what the run is, also when it ends early. */
export async function writeInputs(run: PreparedRun): Promise<Result<null>> {
  const files = runFiles(run.out)
  try {
    await mkdir(run.out, { recursive: true })
    // Two programs may have found the folder empty: the file can be made by one of them only.
    if (run.fresh) await (await open(files.recipe, 'wx')).close()
    try {
      if (run.calibration) await replaceFile(files.calibration, run.calibration.bytes)
      for (const [index, { bytes }] of run.evaluations.entries()) await replaceFile(files.evaluation(index), bytes)
      await writeJson(files.recipe, run.recipe)
    } catch (error) {
      // An empty recipe would make the folder one that nobody can go on with.
      if (run.fresh) await rm(files.recipe, { force: true })
      throw error
    }
    return success(null)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return failure('run_in_use', `${run.out} is in use: another run has just begun there.`)
    return failure('write_failed', `${run.out} cannot be written to (${code ?? 'unknown reason'}).`, String(error))
  }
}

export const writeJson = (file: string, value: unknown) => replaceFile(file, `${JSON.stringify(value, null, 1)}\n`)

/** Readers see the old file or the new one, never a part. */
async function replaceFile(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(`${file}.part`, content)
  await rename(`${file}.part`, file)
}

export type EventLog = { add: (line: string) => void; end: () => Promise<void> }

/** Appends to events.jsonl. A log that cannot be written is worth a note, not the run. */
export function openEventLog(out: string, onNote: (note: Note) => void): EventLog {
  const stream = createWriteStream(runFiles(out).events, { flags: 'a' })
  let failed = false
  stream.on('error', (error) => {
    failed = true
    onNote({ code: 'events_lost', message: `The run's events cannot be written: ${error.message}.` })
  })
  return {
    add: (line) => void (failed || stream.write(`${line}\n`)),
    async end() {
      if (failed || stream.closed) return
      stream.end()
      await once(stream, 'close')
    },
  }
}
