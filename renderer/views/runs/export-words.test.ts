import { expect, test } from 'vitest'
import { exportFormats } from '../../../electron/contract/exports.ts'
import {
  expectedBytes,
  formatPurpose,
  formatTitle,
  keeps,
  roundingWords,
  suggestedName,
  typeKeeps,
  typeOptions,
} from './export-words.ts'

const run = { file_bytes: 700, model: { parameters: 1000 } as never }

test('every format and every type says what it keeps', () => {
  for (const format of exportFormats) {
    expect(formatTitle(format)).not.toBe(format)
    for (const { value } of typeOptions(format)) expect(typeKeeps(value), `${format} ${value}`).not.toBe('')
    expect(keeps(format).length).toBeGreaterThan(1)
    expect(formatPurpose(format)).not.toBe('')
  }
})

test('sizes are known where the type says the bits', () => {
  expect(expectedBytes(run, 'gguf', 'f16')).toBe(2000)
  expect(expectedBytes(run, 'gguf', 'f32')).toBe(4000)
  expect(expectedBytes(run, 'gguf', 'fit')).toBe(null)
  expect(expectedBytes({ ...run, model: null }, 'gguf', 'f16')).toBe(null)
})

test('a name is suggested that every file system takes', () => {
  expect(suggestedName('gptq, 3 bits', 'gguf', 'f16')).toBe('gptq-3-bits-f16.gguf')
  expect(suggestedName('??', 'gguf', 'f32')).toBe('run-f32.gguf')
})

test('exact is said as exact, the rest with its error', () => {
  const exact = { values: 1234, exact_values: 1234, relative_error: 0, largest_error: 0 }
  expect(roundingWords(exact)).toBe('all 1,234 numbers as the model decodes them')
  expect(roundingWords({ ...exact, exact_values: 1000, relative_error: 0.00017, largest_error: 0.00024 })).toBe(
    '1,000 of 1,234 numbers exact, relative error 1.7e-4, at most 2.4e-4',
  )
})
