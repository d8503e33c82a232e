// The signs of series, as ECharts names them, for legends that are drawn in the page and into pictures: paths in a box of 10 x 10.
export const symbolPaths = {
  circle: 'M5 .5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9Z',
  rect: 'M1 1h8v8H1Z',
  triangle: 'M5 1 9.5 9H.5Z',
  diamond: 'M5 0l5 5-5 5-5-5Z',
  cross: 'M2 .5 5 3.5 8 .5 9.5 2 6.5 5 9.5 8 8 9.5 5 6.5 2 9.5 .5 8 3.5 5 .5 2Z',
} as const
export type SymbolName = keyof typeof symbolPaths

export const symbolPath = (name: string = 'circle'): string =>
  Object.hasOwn(symbolPaths, name) ? symbolPaths[name as SymbolName] : symbolPaths.circle

/** As a series wants it: its own names, or a path for those that ECharts does not know. */
export const seriesSymbol = (name: SymbolName): string => (name === 'cross' ? `path://${symbolPaths.cross}` : name)
