// Hands on a viewer: drag, wheel, pinch and keys, as movements of a camera.
import { readableCell, weightAt, type MatrixSize, type Offset, type Size } from './camera.ts'
import type { Camera, Pointed } from './camera.svelte.ts'

export type Held = { camera: Camera; pointed: Pointed; matrix: MatrixSize; size: Size }

/** A notch of a wheel is 100 in most systems. */
const wheelFactor = (event: WheelEvent) => {
  const lines = event.deltaMode === 1 ? 33 : 1
  // A pinch on a touchpad comes as a wheel with Ctrl, in smaller numbers.
  return Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0022))
}

/**
 * Two fingers on a touchpad move the matrix: they come as a wheel too, but aslant or in steps smaller than a notch. With Shift a
 * wheel moves sideways. Null: it zooms.
 */
export function panOf(
  event: Pick<WheelEvent, 'deltaX' | 'deltaY' | 'deltaMode' | 'ctrlKey' | 'shiftKey'>,
): Offset | null {
  const { deltaX, deltaY, deltaMode, ctrlKey, shiftKey } = event
  if (ctrlKey) return null
  if (shiftKey) return { dx: -(deltaX || deltaY), dy: 0 }
  const fingers = deltaMode === 0 && (deltaX !== 0 || Math.abs(deltaY) < smallestNotch)
  return fingers ? { dx: -deltaX, dy: -deltaY } : null
}
const smallestNotch = 50

/** `held`: asked at every event, as all of it may change. */
export function handle(place: HTMLElement, held: () => Held): () => void {
  const fingers = new Map<number, { x: number; y: number }>()
  const spot = (event: MouseEvent) => {
    const box = place.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  const offset = ({ x, y }: { x: number; y: number }): Offset => {
    const { size } = held()
    return { dx: x - size.width / 2, dy: y - size.height / 2 }
  }
  const point = (at: { x: number; y: number } | null) => {
    const { camera, pointed, matrix, size } = held()
    if (at === null || camera.view === null) return pointed.at(null)
    const { row, column } = weightAt(camera.view, size, at)
    const inside = row >= 0 && column >= 0 && row < matrix.rows && column < matrix.columns
    pointed.at(inside ? { row, column } : null)
  }

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return
    place.setPointerCapture(event.pointerId)
    place.focus({ preventScroll: true })
    fingers.set(event.pointerId, spot(event))
  }
  const move = (event: PointerEvent) => {
    const now = spot(event)
    const before = fingers.get(event.pointerId)
    if (before === undefined) return point(now)
    const { camera } = held()
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1]
    if (other === undefined) camera.panBy({ dx: now.x - before.x, dy: now.y - before.y })
    else {
      const length = (one: { x: number; y: number }) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y))
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }
      camera.panBy({ dx: (now.x - before.x) / 2, dy: (now.y - before.y) / 2 })
      if (camera.view) camera.zoomTo((camera.view.cell * length(now)) / length(before), offset(middle), false)
    }
    fingers.set(event.pointerId, now)
    point(now)
  }
  const up = (event: PointerEvent) => void fingers.delete(event.pointerId)
  const leave = () => point(null)
  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    const by = panOf(event)
    if (by) held().camera.panBy(by)
    // A pinch is as smooth as the fingers are.
    else held().camera.turn(wheelFactor(event), offset(spot(event)), !event.ctrlKey)
    point(spot(event))
  }
  const twice = (event: MouseEvent) => held().camera.zoomBy(event.shiftKey ? 1 / 2.5 : 2.5, offset(spot(event)))
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (press(event, held())) {
      event.preventDefault()
      event.stopPropagation()
    }
  }
  place.addEventListener('pointerdown', down)
  place.addEventListener('pointermove', move)
  place.addEventListener('pointerup', up)
  place.addEventListener('pointercancel', up)
  place.addEventListener('pointerleave', leave)
  place.addEventListener('wheel', wheel, { passive: false })
  place.addEventListener('dblclick', twice)
  place.addEventListener('keydown', key)
  return () => {
    place.removeEventListener('pointerdown', down)
    place.removeEventListener('pointermove', move)
    place.removeEventListener('pointerup', up)
    place.removeEventListener('pointercancel', up)
    place.removeEventListener('pointerleave', leave)
    place.removeEventListener('wheel', wheel)
    place.removeEventListener('dblclick', twice)
    place.removeEventListener('keydown', key)
  }
}

const arrows: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

/** True when the key means something here. */
function press({ key, shiftKey }: KeyboardEvent, { camera, pointed, matrix, size }: Held): boolean {
  const arrow = arrows[key]
  if (arrow !== undefined) {
    if (shiftKey) movePointed(camera, pointed, matrix, arrow)
    else camera.panBy({ dx: -arrow[0] * size.width * 0.12, dy: -arrow[1] * size.height * 0.12 })
    return true
  }
  switch (key) {
    case '+':
    case '=':
      camera.zoomBy(1.5)
      return true
    case '-':
    case '_':
      camera.zoomBy(1 / 1.5)
      return true
    case '0':
      camera.fitAll()
      return true
    case '1':
      camera.zoomTo(readableCell)
      return true
    case 'Escape':
      pointed.at(null)
      return true
    default:
      return false
  }
}

/** The keyboard's pointer begins in the middle of the view and stays in sight. */
function movePointed(
  camera: Camera,
  pointed: Pointed,
  { rows, columns }: MatrixSize,
  [right, down]: readonly [number, number],
) {
  if (camera.view === null) return
  const from = pointed.weight ?? { row: Math.floor(camera.view.y), column: Math.floor(camera.view.x) }
  const within = (value: number, count: number) => Math.min(count - 1, Math.max(0, value))
  const steps = pointed.weight === null ? 0 : 1
  const weight = { row: within(from.row + down * steps, rows), column: within(from.column + right * steps, columns) }
  pointed.at(weight)
  camera.reveal(weight)
}
