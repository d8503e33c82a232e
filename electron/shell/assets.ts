// Which file of the built window a path of the scheme names, and what may be done with it.
import { realpath } from 'node:fs/promises'
import path from 'node:path'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/** The page may use what came with it, and nothing else; styles of single elements are set by components. */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src-elem 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const securityHeaders: Record<string, string> = {
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
}

export type Asset = { file: string; type: string }

/** Null for what is not a file of the window: another type, a way out of the folder, a link that leads elsewhere. */
export async function assetOf(folder: string, pathname: string): Promise<Asset | null> {
  let name: string
  try {
    name = decodeURIComponent(pathname)
  } catch {
    return null
  }
  const parts = name.split('/').slice(1)
  if (!name.startsWith('/') || parts.some((part) => !/^[\w-][\w.@-]*$/.test(part))) return null
  const type = types[path.extname(name)]
  if (type === undefined) return null
  const file = path.join(folder, ...parts)
  const [real, home] = await Promise.all([realpath(file), realpath(folder)]).catch(() => [null, null])
  if (real === null || home === null) return null
  return path.relative(home, real) === path.join(...parts) ? { file, type } : null
}
