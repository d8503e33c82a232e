// A chart as a picture for elsewhere: its title, its legend and the plot, as PNG or SVG. What it looks like is said once.
import type { ECharts } from './option.ts'
import { plain, type ChartColours, type ChartOption, type MakeOption } from './option.ts'
import { symbolPath } from './symbols.ts'

export type LegendItem = { name: string; colour: string; symbol?: string | undefined }

export type Picture = {
  title: string
  legend: readonly LegendItem[]
  option: MakeOption
  colours: ChartColours
  /** Of the plot, in CSS pixels. */
  width: number
  height: number
  /** How far the plot is zoomed, in percent, by its axis. */
  zoom?: readonly Zoom[]
}
export type Zoom = { start: number; end: number }

const margin = 16
const titleHeight = 30
const lineHeight = 20
const markSize = 10

export type Placed = LegendItem & { x: number; y: number }

/** Legend items beside each other, on a new line where the picture ends. `textWidth`: in pixels. Pure. */
export function placeLegend(
  items: readonly LegendItem[],
  width: number,
  textWidth: (text: string) => number,
): { placed: Placed[]; height: number } {
  let [x, y] = [0, 0]
  const placed = items.map((item) => {
    const wide = markSize + 6 + textWidth(item.name) + 14
    if (x > 0 && x + wide > width) [x, y] = [0, y + lineHeight]
    const here = { ...item, x, y }
    x += wide
    return here
  })
  return { placed, height: items.length === 0 ? 0 : y + lineHeight + 6 }
}

type Sheet = { width: number; height: number; placed: Placed[]; plotTop: number }

function sheetOf({ legend, width, height }: Picture, textWidth: (text: string) => number): Sheet {
  const { placed, height: legendHeight } = placeLegend(legend, width, textWidth)
  const plotTop = margin + titleHeight + legendHeight
  return { width: width + 2 * margin, height: plotTop + height + margin, placed, plotTop }
}

/** Everything at once: there is nobody who waits for an animation or for the rest of the points. */
export function still({ option, colours, zoom = [] }: Picture): ChartOption {
  // ECharts writes attributes as they come: a font's own quotes would end them.
  const made = option({ ...colours, font: colours.font.replaceAll('"', "'") })
  const series = [made.series ?? []].flat().map((one) => ({ ...one, progressive: 0 }))
  return {
    ...made,
    series,
    animation: false,
    ...(made.dataZoom && zoom.length > 0
      ? { dataZoom: [made.dataZoom].flat().map((one, at) => ({ ...one, ...zoom[at] })) }
      : {}),
  }
}

/** Without a page too: in tests, and in reports. */
export async function plotSvg(picture: Omit<Picture, 'title' | 'legend'>): Promise<string> {
  const { init } = await import('./echarts.ts')
  const { width, height } = picture
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    chart.setOption(still({ title: '', legend: [], ...picture }))
    // Styles are for pointing at a page; a file has only shapes and words.
    return chart.renderToSVGString().replace(/<style[^>]*>[^]*?<\/style>/g, '')
  } finally {
    chart.dispose()
  }
}

/** About as wide as the fonts of the window write it. */
const guessedWidth = (text: string): number => 6.6 * text.length

export async function pictureSvg(picture: Picture, textWidth = guessedWidth): Promise<string> {
  const { colours, title } = picture
  const { width, height, placed, plotTop } = sheetOf(picture, textWidth)
  const plot = (await plotSvg(picture)).replace('<svg ', `<svg x="${margin}" y="${plotTop}" `)
  const marks = placed.map(({ name, colour, symbol, x, y }) => {
    const [left, top] = [margin + x, margin + titleHeight + y]
    return (
      `<path transform="translate(${left} ${top})" d="${symbolPath(symbol)}" fill="${plain(colours.resolve(colour))}"/>` +
      `<text x="${left + markSize + 6}" y="${top + 9}" font-size="12" fill="${plain(colours.ink)}">${plain(name)}</text>`
    )
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${plain(colours.font)}">`,
    `<title>${plain(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${plain(colours.panel)}"/>`,
    `<text x="${margin}" y="${margin + 15}" font-size="15" font-weight="600" fill="${plain(colours.ink)}">${plain(title)}</text>`,
    ...marks,
    plot,
    '</svg>',
  ].join('\n')
}

const scale = 2

export async function picturePng(picture: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const canvas = document.createElement('canvas')
  const context = canvas.getContext('2d')
  if (!context) throw new Error('There is no canvas to draw on.')
  const { colours } = picture
  const legendFont = `12px ${colours.font}`
  context.font = legendFont
  const sheet = sheetOf(picture, (text) => context.measureText(text).width)
  canvas.width = sheet.width * scale
  canvas.height = sheet.height * scale
  context.scale(scale, scale)
  context.fillStyle = colours.panel
  context.fillRect(0, 0, sheet.width, sheet.height)
  context.fillStyle = colours.ink
  context.font = `600 15px ${colours.font}`
  context.fillText(picture.title, margin, margin + 15)
  context.font = legendFont
  for (const { name, colour, symbol, x, y } of sheet.placed) {
    context.save()
    context.translate(margin + x, margin + titleHeight + y)
    context.fillStyle = colours.resolve(colour)
    context.fill(new Path2D(symbolPath(symbol)))
    context.fillStyle = colours.ink
    context.fillText(name, markSize + 6, 9)
    context.restore()
  }
  context.drawImage(await plotCanvas(picture), margin, sheet.plotTop, picture.width, picture.height)
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'))
  if (!blob) throw new Error('The picture is too large for a canvas.')
  return new Uint8Array(await blob.arrayBuffer())
}

async function plotCanvas(picture: Picture): Promise<HTMLCanvasElement> {
  const { init } = await import('./echarts.ts')
  const { width, height } = picture
  const chart: ECharts = init(document.createElement('div'), null, { renderer: 'canvas', width, height })
  try {
    chart.setOption(still(picture))
    return chart.renderToCanvas({ pixelRatio: scale })
  } finally {
    chart.dispose()
  }
}
