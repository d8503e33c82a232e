// The three numbers of bits per weight of a run, and what each of them counts. Pure.
import { size } from '../../../electron/contract/quantities.ts'
import type { RunRow } from '../../../electron/contract/history.ts'

type Bits = Pick<RunRow, 'nominal_bits' | 'linear_bits' | 'file_bits' | 'linear_bytes' | 'file_bytes'>
const of = (bytes: number | null) => (bytes === null ? '' : `, ${size(bytes)}`)

export const bitNumbers = (run: Bits) => [
  {
    name: 'Nominal',
    value: run.nominal_bits,
    short: 'as papers count',
    meaning: 'As the paper counts: signs and codes, without scales and bitmaps.',
  },
  {
    name: 'Linear',
    value: run.linear_bits,
    short: `all of the linears${of(run.linear_bytes)}`,
    meaning: `Everything stored for the quantized weights${of(run.linear_bytes)}.`,
  },
  {
    name: 'File',
    value: run.file_bits,
    short: 'files over all parameters',
    meaning: `All files over all parameters of the model${of(run.file_bytes)}.`,
  },
]
