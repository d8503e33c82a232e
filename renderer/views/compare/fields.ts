// How a row answers the filter's questions.
import type { Fields } from '../../../electron/contract/run-filter.ts'
import type { OnText, Row } from './row.ts'

/** `text`: the key of the text whose perplexity is meant; null: the first of each run. */
export function rowFields(text: string | null): Fields<Row> {
  const on = ({ texts }: Row): OnText | undefined => (text === null ? texts.values().next().value : texts.get(text))
  return {
    words: {
      method: (row) => row.method,
      model: (row) => row.model,
      status: (row) => row.status,
      tag: (row) => row.tags,
      name: (row) => row.name,
      note: (row) => row.note,
      text: (row) => row.calibrationText,
      device: (row) => row.device,
    },
    numbers: {
      ppl: (row) => on(row)?.packed?.value ?? null,
      original: (row) => on(row)?.original?.value ?? null,
      kld: (row) => on(row)?.kld?.value ?? null,
      top: (row) => on(row)?.sameTop?.value ?? null,
      bits: (row) => row.linearBits,
      nominal: (row) => row.nominalBits,
      filebits: (row) => row.fileBits,
      file: (row) => row.fileBytes,
      linears: (row) => row.linearBytes,
      error: (row) => row.outputError,
      time: (row) => row.seconds,
      memory: (row) => row.peakBytes,
      id: (row) => row.id,
    },
    parameter: (row, key) => row.parameters[key] ?? null,
    date: (row) => row.date,
    archived: (row) => row.archived,
  }
}
