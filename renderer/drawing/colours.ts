// From a number to a colour. Colour maps run from 0 to 1; a table has 256 RGBA entries, as a texture wants it.
import { tables } from './colour-tables.ts'

export type Rgb = readonly [red: number, green: number, blue: number]
export type ColourMap = keyof typeof tables
/** 256 entries of four bytes. */
export type Table = Uint8Array<ArrayBuffer>

/** The tokens --plus and --minus, for canvases: blue and orange, told apart by every kind of colour-blindness. */
export const signColours = {
  light: { plus: [0x21, 0x66, 0xac], minus: [0xe0, 0x82, 0x14], even: [0xec, 0xec, 0xea] },
  dark: { plus: [0x6a, 0xae, 0xd6], minus: [0xf0, 0xa3, 0x5e], even: [0x2b, 0x2d, 0x31] },
} as const satisfies Record<string, Record<string, Rgb>>
export const themeName = (dark: boolean) => (dark ? 'dark' : 'light')

/** The same table for the same colours, so that whoever uploads it does so once. */
function remembered<A extends unknown[]>(make: (...of: A) => Table): (...of: A) => Table {
  const made = new Map<string, Table>()
  return (...of) => {
    const key = JSON.stringify(of)
    const table = made.get(key) ?? make(...of)
    made.set(key, table)
    return table
  }
}

/** `reversed`: the highest colour first. */
export const tableOf = remembered((map: ColourMap, reversed: boolean = false): Table => {
  const text = tables[map].join('')
  const table = new Uint8Array(256 * 4)
  for (let k = 0; k < 256; k++) {
    const at = 6 * (reversed ? 255 - k : k)
    for (let part = 0; part < 3; part++) {
      table[4 * k + part] = Number.parseInt(text.slice(at + 2 * part, at + 2 * part + 2), 16)
    }
    table[4 * k + 3] = 255
  }
  return table
})

/** The signs' hues over a dark ground; both sides grow equally light. */
const darkDiverging: readonly Rgb[] = [
  [0xff, 0xdf, 0xb8],
  [0xd0, 0x76, 0x22],
  [0x14, 0x16, 0x19],
  [0x3a, 0x86, 0xbd],
  [0xc6, 0xe6, 0xfb],
]

/** For values around 0: warm below, blue above, like the signs; the middle is the ground of the theme. */
export const divergingTable = (dark: boolean): Table => (dark ? between(darkDiverging) : tableOf('RdBu'))

/** For shares of signs: all minus, as many of both, all plus. */
export function signTable(dark: boolean): Table {
  const { plus, minus, even } = signColours[themeName(dark)]
  return between([minus, even, plus])
}

/** Straight lines in RGB between colours at equal distances. */
export const between = remembered((colours: readonly Rgb[]): Table => {
  const table = new Uint8Array(256 * 4)
  for (let k = 0; k < 256; k++) {
    const place = (k / 255) * (colours.length - 1)
    const first = Math.min(Math.floor(place), colours.length - 2)
    const share = place - first
    for (let part = 0; part < 3; part++) {
      const [from, to] = [colours[first]![part]!, colours[first + 1]![part]!]
      table[4 * k + part] = Math.round(from + share * (to - from))
    }
    table[4 * k + 3] = 255
  }
  return table
})

/** One colour that appears as the share grows: what is laid over a picture. */
export const veilTable = remembered((colour: Rgb, strength: number): Table => {
  const table = between([colour, colour]).slice()
  for (let k = 0; k < 256; k++) table[4 * k + 3] = Math.round(strength * k)
  return table
})

export function colourAt(table: Table, share: number): Rgb {
  const k = 4 * Math.round(255 * Math.min(1, Math.max(0, share)))
  return [table[k]!, table[k + 1]!, table[k + 2]!]
}

export const css = ([red, green, blue]: Rgb) => `rgb(${red} ${green} ${blue})`

/** As a CSS gradient from left to right. */
export function gradientOf(table: Table, stops = 17): string {
  const colours = Array.from({ length: stops }, (_, k) => css(colourAt(table, k / (stops - 1))))
  return `linear-gradient(to right, ${colours.join(', ')})`
}

/** Relative luminance, WCAG 2. */
export function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((part) => {
    const value = part / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** Black or white, whichever can be read better on this colour. */
export const inkOn = (colour: Rgb): '#000' | '#fff' => (luminance(colour) > 0.179 ? '#000' : '#fff')
