// Which panels of the side are open, and how wide it is: kept in the settings.
import { settings } from '../../client/settings.svelte.ts'

const usual = { side: 1, linear: 1, difference: 1, edges: 0, columns: 0, blocks: 0 }
export type Part = keyof typeof usual

export const isOpen = (part: Part): boolean => (settings.now.panes[`layers ${part}`]?.[0] ?? usual[part]) > 0

export const setOpen = (part: Part, open: boolean): void => keep(`layers ${part}`, [Number(open)])

/** Of the window's width. */
export const sideShare = (): number => settings.now.panes['layers']?.[0] ?? 0.25
export const setSideShare = (share: number): void => keep('layers', [share, 1 - share])

const keep = (name: string, shares: number[]) =>
  void settings.change({ panes: { ...settings.now.panes, [name]: shares } })
