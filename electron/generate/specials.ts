// The tokens that begin and end a text, and the template of a conversation, as the files of a model's folder say.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Tokenizer } from '../models/tokenizer.ts'

export type Specials = {
  /** What a text begins with where the tokenizer puts nothing in front; null where no file names one. */
  begin: number | null
  /** Any of these ends a text. */
  end: number[]
  /** Jinja; null where the model has none. */
  template: string | null
  /** What a template may name: bos_token, eos_token, ... */
  named: Record<string, string>
}

const ids = z.union([z.int().min(0), z.array(z.int().min(0))])
const configSchema = z.looseObject({
  bos_token_id: ids.nullish().catch(null),
  eos_token_id: ids.nullish().catch(null),
})
/** A token's name, or an object about it. */
const named = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
const namedTokens = ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const
const templatesSchema = z.union([
  z.string(),
  z
    .array(z.object({ name: z.string(), template: z.string() }))
    .transform((all) => all.find(({ name }) => name === 'default')?.template ?? all[0]?.template ?? null),
])

export async function readSpecials(folder: string, { settings, idOf }: Tokenizer): Promise<Specials> {
  const files = await Promise.all(['generation_config.json', 'config.json'].map((name) => readJson(folder, name)))
  const configs = files.map((file) => configSchema.safeParse(file).data ?? {})
  const texts = Object.fromEntries(
    namedTokens.flatMap((key) => {
      const token = named.safeParse(settings[key])
      return token.success ? [[key, token.data]] : []
    }),
  )
  const all = (key: 'bos_token' | 'eos_token'): number[] => {
    const known = texts[key] === undefined ? undefined : idOf(texts[key])
    return [...configs.flatMap((one) => one[`${key}_id`] ?? []), ...(known === undefined ? [] : [known])]
  }
  const end = [...new Set(all('eos_token'))]
  const template = templatesSchema.safeParse(settings['chat_template'])
  const own = await readFile(path.join(folder, 'chat_template.jinja'), 'utf8').catch(() => null)
  return {
    begin: all('bos_token')[0] ?? end[0] ?? null,
    end,
    template: own ?? template.data ?? null,
    named: texts,
  }
}

async function readJson(folder: string, name: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path.join(folder, name), 'utf8'))
  } catch {
    return {}
  }
}
