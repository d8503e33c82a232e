// What comes out of the database is checked here, once: SQLite has neither booleans nor JSON of its own.
import { z } from 'zod'

/** A column of JSON text. */
export const json = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema)

export const bool = z.union([z.literal(0), z.literal(1)]).transform(Boolean)

export const one = <S extends z.ZodType>(schema: S, row: unknown): z.infer<S> | null =>
  row === undefined ? null : schema.parse(row)

export const all = <S extends z.ZodType>(schema: S, rows: unknown[]): z.infer<S>[] =>
  rows.map((row) => schema.parse(row))
