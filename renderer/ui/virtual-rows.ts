// Which rows of a long list are drawn: those in sight, and some beyond, so that scrolling shows no gaps.
export type Span = { first: number; end: number }

export function visibleRows(count: number, rowHeight: number, scrolled: number, height: number, beyond = 8): Span {
  const first = Math.max(0, Math.floor(scrolled / rowHeight) - beyond)
  const end = Math.min(count, Math.ceil((scrolled + height) / rowHeight) + beyond)
  return { first: Math.min(first, count), end: Math.max(end, 0) }
}

/** Where to scroll so that a row is in sight below the head, moving no more than needed. */
export function scrollTo(index: number, rowHeight: number, scrolled: number, height: number): number {
  const top = index * rowHeight
  if (top < scrolled) return top
  return top + rowHeight > scrolled + height ? top + rowHeight - height : scrolled
}
