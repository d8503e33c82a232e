import { expect, test } from 'vitest'
import { nextZoom, settingsSchema, zooms } from './settings.ts'

test('zoom goes from size to size and stays at the ends, from anywhere', () => {
  expect(nextZoom(1, 1)).toBe(1.1)
  expect(nextZoom(1, -1)).toBe(0.9)
  expect(nextZoom(2, 1)).toBe(2)
  expect(nextZoom(0.8, -1)).toBe(0.8)
  expect(nextZoom(1.3, 1)).toBe(1.5)
  expect(nextZoom(1.3, -1)).toBe(1.25)
  for (const zoom of zooms) expect(settingsSchema.shape.zoom.parse(zoom)).toBe(zoom)
})

test('the tour is new, at a step, or over', () => {
  expect(settingsSchema.parse({}).tour).toBe('new')
  expect(settingsSchema.shape.tour.safeParse('soon').success).toBe(false)
  expect(settingsSchema.shape.tour.parse(3)).toBe(3)
})
