// What a person chose and wants to find again: kept in the history, one row per key.
import { z } from 'zod'
import { automatic, deviceWishSchema } from './devices.ts'
import { recipeSchema } from './recipe.ts'

export const themes = ['system', 'light', 'dark'] as const

/** Sizes that everything in the window can have; 1 is the usual one. */
export const zooms = [0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const

/** One larger (1) or smaller (-1), as far as there is one. */
export function nextZoom(now: number, by: 1 | -1): number {
  const others = zooms.filter((one) => (one - now) * by > 1e-6)
  return others.at(by === 1 ? 0 : -1) ?? now
}

/** A place in the window: the view's name and what it shows there. */
export const placeSchema = z.object({
  view: z.string().max(40),
  run: z.int().min(1).optional(),
  other: z.int().min(1).optional(),
  model: z.string().optional(),
  linear: z.string().optional(),
  picture: z.string().optional(),
  /** Of a page that has sections. */
  section: z.string().max(40).optional(),
})
export type Place = z.infer<typeof placeSchema>

/** A recipe under a name. A newer Signum may know methods that this one does not: it is checked when it is chosen. */
export const presetSchema = z.object({
  name: z.string().trim().min(1).max(100),
  recipe: z.record(z.string(), z.unknown()),
  saved_at: z.int(),
})
export type Preset = z.infer<typeof presetSchema>

const sortSchema = z.object({ column: z.string(), descending: z.boolean() })
const compareSchema = z.object({
  shown: z.array(z.string()).default([]),
  hidden: z.array(z.string()).default([]),
  sort: sortSchema.default({ column: 'date', descending: true }),
  /** Where the first says the same. */
  further: z.array(sortSchema).default([]),
  /** Columns that somebody moved, and all before them; the others follow in their usual order. */
  order: z.array(z.string()).default([]),
  /** Pixels, by column. */
  widths: z.record(z.string(), z.number().min(1).max(5000)).default({}),
  /** By what rows are put together. */
  group: z.string().nullable().default(null),
  /** The filter's line (run-filter.ts). */
  filter: z.string().max(1000).default(''),
})

export const settingsSchema = z.object({
  theme: z.enum(themes).default('system'),
  zoom: z.number().min(zooms[0]).max(2).default(1),
  /** The first-run tour: offered while it is new, then its step, then over. */
  tour: z.union([z.enum(['new', 'over']), z.int().min(0).max(20)]).default('new'),
  /** 0: as many as the machine has. */
  threads: z.int().min(0).max(4096).default(0),
  /** What new runs compute on. */
  device: deviceWishSchema.default(automatic),
  /** A folder where cuBLAS and cuSOLVER are looked for first; '': nowhere but in the usual places. */
  deviceLibraries: z.string().max(4096).default(''),
  /** Bytes of a card that a run may use at once, by the card's uuid; no entry: what it has. */
  deviceMemory: z.record(z.string(), z.number().min(1)).default({}),
  /** The run that others are compared with. */
  baseline: z.int().min(1).nullable().default(null),
  /** Where the window was when it was closed. */
  place: placeSchema.nullable().default(null),
  bounds: z
    .object({ x: z.int(), y: z.int(), width: z.int().min(1), height: z.int().min(1), maximized: z.boolean() })
    .nullable()
    .default(null),
  /** The recipe that was last begun with each model, by the model's folder. */
  recipes: z.record(z.string(), recipeSchema).default({}),
  /** Recipes under names, each name once; the newest first. */
  presets: z.array(presetSchema).max(1000).default([]),
  /** Shares of the panes, by the name of their group. */
  panes: z.record(z.string(), z.array(z.number())).default({}),
  /** What was chosen for the charts beside the table of runs, by the choice's name: which is shown, its axes. */
  charts: z.record(z.string().max(40), z.string().max(200)).default({}),
  /** The table of runs: columns that are shown or hidden against what it shows at first, and how it is put in order. */
  compare: compareSchema.default(compareSchema.parse({})),
  /** What the list of runs is narrowed to. */
  runsFilter: z.string().max(1000).default(''),
})
export type Settings = z.infer<typeof settingsSchema>

export const settingKeys = Object.keys(settingsSchema.shape) as (keyof Settings)[]
export const standardSettings: Settings = settingsSchema.parse({})

/** Some of the settings, without the defaults of the others. */
const changes = Object.fromEntries(
  Object.entries(settingsSchema.shape).map(([key, schema]) => [key, schema.unwrap().optional()]),
) as unknown as { [K in keyof Settings]: z.ZodOptional<z.ZodType<Settings[K]>> }
export const settingChangesSchema = z.strictObject(changes)
