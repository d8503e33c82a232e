import { z } from 'zod'
import { PackedError, type PackedCode } from './errors.ts'

/** Parses JSON text that came from a file and checks it against `schema`; `what` names the text in the error's sentence. */
export function parseJson<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  what: string,
  code: PackedCode,
): z.infer<Schema> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new PackedError(code, `${what} is not JSON.`, { cause })
  }
  return check(schema, value, what, code)
}

/** Checks a value that is already parsed; the sentence names the first key that is wrong. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
  code: PackedCode,
): z.infer<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const place = issue && issue.path.length > 0 ? ` at ${issue.path.join(' > ')}` : ''
  throw new PackedError(code, `${what} is not valid${place}: ${issue?.message ?? 'unknown reason'}.`)
}
