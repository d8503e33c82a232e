// A file of texts, in the forms that calibrations read; it has its name only when all texts are in it.
import { open, rename, rm, stat } from 'node:fs/promises'
import { failure, success, type Result } from '../contract/errors.ts'

export type Samples = {
  add: (text: string) => Promise<void>
  keep: () => Promise<void>
  /** Nothing is left of it. */
  drop: () => Promise<void>
}

/** `.jsonl`: a document a line; any other name: texts with a blank line between them. A file that is there is refused. */
export async function openSamples(file: string): Promise<Result<Samples>> {
  if (await stat(file).catch(() => null)) return failure('option_invalid', `${file} is already there.`)
  const partial = `${file}.partial`
  const asDocuments = /\.jsonl$/i.test(file)
  try {
    const handle = await open(partial, 'w')
    let written = 0
    return success({
      async add(text) {
        const plain = `${written++ > 0 ? '\n' : ''}${text.trim()}\n`
        await handle.write(asDocuments ? `${JSON.stringify({ text })}\n` : plain)
      },
      async keep() {
        await handle.sync()
        await handle.close()
        await rename(partial, file)
      },
      async drop() {
        await handle.close()
        await rm(partial, { force: true })
      },
    })
  } catch (error) {
    return failure('write_failed', `${file} cannot be written.`, String(error))
  }
}
