// How a chart saves what it made of itself: the window says so once, for all of them. Drawing itself makes no calls.
import { createContext } from 'svelte'

export type Save = (suggested: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>

export const [saving, provideSaving] = createContext<Save>()
