// What somebody sends along who reports a problem, as plain text; and what the checks tell about the machine.
import type { Check } from '../../../electron/contract/api.ts'
import type { Settings } from '../../../electron/contract/settings.ts'

export type About = { version: string; data: string; versions: Readonly<Record<string, string>> }

export function reportText(about: About, checks: readonly Check[], { theme, threads }: Settings): string {
  const versions = Object.entries(about.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `Signum ${about.version}`,
    versions.join(', '),
    `data folder: ${about.data}`,
    `theme ${theme}, threads ${threads === 0 ? 'all' : threads}`,
    '',
    ...checks.flatMap(({ name, ok, state, remedy }) => [
      `${ok ? 'ok     ' : 'MISSING'} ${name}: ${state}`,
      ...(remedy === null ? [] : [`        remedy: ${remedy}`]),
    ]),
    '',
  ].join('\n')
}

/** The processors' threads, as the worker counts them; null while nobody has asked it. */
export function threadsOf(checks: readonly Check[]): number | null {
  const found = /^(\d+) threads?\b/.exec(checks.find(({ name }) => name === 'processor')?.state ?? '')
  return found ? Number(found[1]) : null
}
