// What an export keeps of a run, said before it is written. Pure.
import { exportFormat, exportFormats, type ExportFormat, type Rounding } from '../../../electron/contract/exports.ts'
import type { RunDetails } from '../../../electron/contract/history.ts'
import { count } from '../../../electron/contract/quantities.ts'

type Words = { title: string; for: string; keeps: string }

const formatWords: Record<string, Words> = {
  gguf: {
    title: 'GGUF',
    for: 'One file for llama.cpp and what is built on it, with tokenizer and chat template.',
    keeps: 'Linears are written as what they decode to, unpacked.',
  },
  huggingface: {
    title: 'Hugging Face',
    for: 'A folder that transformers and other programs load; configuration and tokenizer byte for byte.',
    keeps: 'Linears are written as what they decode to, unpacked.',
  },
  gptq: {
    title: 'GPTQ',
    for: 'A folder that vLLM and transformers load, for runs of gptq and rtn with 2, 3, 4 or 8 bits.',
    keeps: 'Codes, scales and zeros of linears as they are; the rest in F16.',
  },
  packed: {
    title: 'Packed',
    for: 'A folder that Signum opens elsewhere as a finished run, and docs/FORMAT.md explains to other programs.',
    keeps: 'Every bit: it is the run itself.',
  },
}

const typeWords: Record<string, { title: string; keeps: string; bits: number | null }> = {
  f32: { title: 'F32', keeps: 'Every number exactly.', bits: 32 },
  f16: { title: 'F16', keeps: 'Numbers are rounded to 11 bits of precision; one above 65,504 is refused.', bits: 16 },
  bf16: { title: 'BF16', keeps: 'Numbers are rounded to 8 bits of precision; none is too large.', bits: 16 },
  fit: {
    title: 'Exact fit',
    keeps:
      'Each matrix in the smallest type that holds every number exactly, else rounded to F16; the list says which and why.',
    bits: null,
  },
  q8_0: {
    title: 'Q8_0',
    keeps: 'Rounded once more, to 8 bits in blocks of 32; what was exact in such blocks stays so. The error is told.',
    bits: 8.5,
  },
  q4_0: {
    title: 'Q4_0',
    keeps: 'Rounded once more, to 4 bits in blocks of 32; what was exact in such blocks stays so. The error is told.',
    bits: 4.5,
  },
}

export const formatTitle = (format: string): string => formatWords[format]?.title ?? format
export const typeTitle = (type: string): string => typeWords[type]?.title ?? type.toUpperCase()

export const formatOptions = exportFormats.map((value) => ({ value, label: formatTitle(value) }))
export const typeOptions = (format: ExportFormat) =>
  exportFormat(format).types.map((value) => ({ value, label: typeTitle(value) }))

/** Who reads it. */
export const formatPurpose = (format: string): string => formatWords[format]?.for ?? ''
/** What a type does to a number. */
export const typeKeeps = (type: string): string => typeWords[type]?.keeps ?? ''

/** Sentences: what is exact, and how that is known. */
export const keeps = (format: ExportFormat): string[] => [
  ...[formatWords[format]?.keeps].filter((one) => one !== undefined),
  'Every number is read back and compared before the export gets its name.',
]

export const tensorsText = (tensors: number): string => `${count(tensors)} ${tensors === 1 ? 'tensor' : 'tensors'}`

/** Bytes, about; null where the weights decide. */
export function expectedBytes(
  run: Pick<RunDetails, 'file_bytes' | 'model'>,
  format: ExportFormat,
  type: string | null,
): number | null {
  if (format === 'packed') return run.file_bytes
  const bits = type === null ? null : (typeWords[type]?.bits ?? null)
  return bits === null || run.model === null ? null : (run.model.parameters * bits) / 8
}

export function suggestedName(run: string, format: ExportFormat, type: string | null): string {
  const name =
    run
      .replace(/[^\w.=-]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 100) || 'run'
  const kind = type ?? format
  return exportFormat(format).folder ? `${name}-${kind}` : `${name}-${kind}.${format}`
}

export const phaseTitle = (phase: string): string =>
  ({ hash: 'Checking the files', fit: 'Finding types that fit', write: 'Writing', verify: 'Reading back' })[phase] ??
  phase

export function roundingWords({
  values,
  exact_values,
  relative_error,
  largest_error,
}: Omit<Rounding, 'tensors'>): string {
  if (values === exact_values) return `all ${count(values)} numbers as the model decodes them`
  const errors = `relative error ${relative_error.toExponential(1)}, at most ${largest_error.toExponential(1)}`
  return `${count(exact_values)} of ${count(values)} numbers exact, ${errors}`
}
