// Which runs nobody beats: smaller is better in both directions.
export type Point = { x: number; y: number }

/** No worse in both, and better in one. */
export const dominates = (a: Point, b: Point): boolean => a.x <= b.x && a.y <= b.y && (a.x < b.x || a.y < b.y)

/** The indices of the points that no other dominates, from the smallest x on; equal points are all kept. */
export function pareto(points: readonly Point[]): number[] {
  const order = points.map((_, index) => index).sort((a, b) => before(points[a]!, points[b]!) || a - b)
  const front: number[] = []
  for (const index of order) {
    const last = front.at(-1)
    if (last === undefined || points[index]!.y < points[last]!.y || same(points[index]!, points[last]!)) {
      front.push(index)
    }
  }
  return front
}

const before = (a: Point, b: Point) => a.x - b.x || a.y - b.y
const same = (a: Point, b: Point) => a.x === b.x && a.y === b.y
