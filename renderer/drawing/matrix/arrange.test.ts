import { expect, test } from 'vitest'
import { stacked } from './arrange.ts'

const size = { width: 776, height: 590 }

test('wide matrices lie one above the other, others side by side', () => {
  expect(stacked({ rows: 256, columns: 768 }, size)).toBe(true)
  expect(stacked({ rows: 256, columns: 256 }, size)).toBe(false)
  expect(stacked({ rows: 11_008, columns: 4096 }, size)).toBe(false)
  expect(stacked({ rows: 256, columns: 768 }, { width: 1400, height: 200 })).toBe(false)
})
