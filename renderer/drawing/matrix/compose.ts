// A picture for a file: what viewers show, side by side, with a caption.

/** The matrix and what is drawn over it, as one canvas. */
export function composePicture(matrix: HTMLCanvasElement, front: HTMLCanvasElement): HTMLCanvasElement {
  const picture = document.createElement('canvas')
  picture.width = front.width
  picture.height = front.height
  const context = picture.getContext('2d')!
  context.drawImage(matrix, front.width - matrix.width, front.height - matrix.height)
  context.drawImage(front, 0, 0)
  return picture
}

export type Captioned = { picture: HTMLCanvasElement; lines: readonly string[] }
export type CaptionStyle = { ground: string; ink: string; muted: string; font: string; ratio: number }

/** PNG bytes. The first line of a caption is its title. */
export async function captioned(parts: readonly Captioned[], style: CaptionStyle): Promise<Uint8Array<ArrayBuffer>> {
  const { ratio } = style
  const gap = Math.round(16 * ratio)
  const line = Math.round(17 * ratio)
  const most = Math.max(...parts.map(({ lines }) => lines.length))
  const height = Math.max(...parts.map(({ picture }) => picture.height))
  const sheet = document.createElement('canvas')
  sheet.width = parts.reduce((total, { picture }) => total + picture.width + gap, gap)
  sheet.height = height + most * line + 3 * gap
  const context = sheet.getContext('2d')!
  context.fillStyle = style.ground
  context.fillRect(0, 0, sheet.width, sheet.height)
  context.textBaseline = 'top'
  let left = gap
  for (const { picture, lines } of parts) {
    context.drawImage(picture, left, gap)
    for (const [k, text] of lines.entries()) {
      context.font = `${k === 0 ? 600 : 400} ${12.5 * ratio}px ${style.font}`
      context.fillStyle = k === 0 ? style.ink : style.muted
      context.fillText(text, left, height + 2 * gap + k * line, picture.width)
    }
    left += picture.width + gap
  }
  const blob = await new Promise<Blob | null>((done) => sheet.toBlob(done, 'image/png'))
  if (blob === null) throw new Error('the picture is too large for a PNG')
  return new Uint8Array(await blob.arrayBuffer())
}
