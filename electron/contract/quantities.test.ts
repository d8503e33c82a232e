import { expect, test } from 'vitest'
import { amount, duration, perplexity, size, spent } from './quantities.ts'

test('sizes are decimal, with three digits', () => {
  expect([0, 999, 1000, 1_234_567, 7_348_696, 99_960_000, 999_600_000, 13.5e9].map(size)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.00 kB',
    '1.23 MB',
    '7.35 MB',
    '100 MB',
    '1.00 GB',
    '13.5 GB',
  ])
})

test('amounts of parameters', () => {
  expect([512, 281_000, 3_672_320, 6.74e9].map(amount)).toEqual(['512', '281k', '3.67M', '6.74B'])
})

test('durations', () => {
  expect([0.4, 59, 60, 125.4, 3723].map(duration)).toEqual(['0 s', '59 s', '1:00', '2:05', '1:02:03'])
})

test('a perplexity carries its error where there is one', () => {
  expect(perplexity({ value: 30.752, standard_error: 2.7 })).toBe('30.75 ± 2.70')
  expect(perplexity({ value: 357.21, standard_error: 40.33 })).toBe('357.2 ± 40.3')
  expect(perplexity({ value: 12.3, standard_error: null })).toBe('12.30')
  expect(perplexity({ value: 106767, standard_error: 9 })).toBe('1.1e+5')
  expect(perplexity({ value: null, standard_error: null })).toBe('not finite')
})

test('times are as long as they are worth', () => {
  expect([0.0243, 0.9999, 1.64, 47.2, 125].map(spent)).toEqual(['24 ms', '1.0 s', '1.6 s', '47 s', '2:05'])
})
