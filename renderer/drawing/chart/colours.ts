// The tokens, read from the page. A custom property is text until it is used, so a colour is used once, out of sight, and read back.
import type { ChartColours } from './option.ts'

export const darkTheme = '(prefers-color-scheme: dark)'

/** `inside`: an element of the page, whose tokens are meant. */
export function readColours(inside: Element): ChartColours {
  const known = new Map<string, string>()
  const resolve = (css: string): string => {
    const before = known.get(css)
    if (before !== undefined) return before
    const probe = document.createElement('span')
    probe.style.color = css
    inside.append(probe)
    const { color } = getComputedStyle(probe)
    probe.remove()
    known.set(css, color)
    return color
  }
  const token = (name: string) => resolve(`var(--${name})`)
  return {
    ink: token('ink'),
    muted: token('muted'),
    faint: token('faint'),
    line: token('line'),
    panel: token('panel'),
    raised: token('raised'),
    accent: token('accent'),
    good: token('good'),
    warn: token('warn'),
    bad: token('bad'),
    font: getComputedStyle(inside).fontFamily,
    dark: matchMedia(darkTheme).matches,
    resolve,
  }
}
