// A run has one colour everywhere.

/** Ten hues told apart in light and dark; okabe-ito first, for those who see fewer colours. */
const palette = [
  ['#0072b2', '#56a8dc'],
  ['#c75000', '#f08a4b'],
  ['#007a5a', '#3dbf97'],
  ['#a8437f', '#dd86b9'],
  ['#8a6d00', '#d8b93a'],
  ['#2a7f9e', '#6cc3e0'],
  ['#6a51a3', '#a796dd'],
  ['#a3322b', '#ea7f78'],
  ['#4d7a1f', '#93c463'],
  ['#5b6470', '#aab3bf'],
] as const

/** As CSS, for both themes. */
export function runColour(id: number): string {
  const [light, dark] = palette[id % palette.length]!
  return `light-dark(${light}, ${dark})`
}

/** For canvases, which know no light-dark(). */
export const runColourFor = (id: number, dark: boolean): string => palette[id % palette.length]![dark ? 1 : 0]
