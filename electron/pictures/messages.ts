// What the program and the thread that makes its pictures say to each other.
import type { Result } from '../contract/errors.ts'
import type { PackedOwner } from '../contract/pictures.ts'
import type { RunPlaces } from './open-run.ts'
import type { PictureBook } from './pictures.ts'

export type BookCall = keyof PictureBook

/** To the thread. */
export type ToThread =
  | { what: 'call'; number: number; call: BookCall; args: unknown[] }
  /** Answers `find`. */
  | { what: 'found'; number: number; places: Result<RunPlaces> }
/** From the thread. */
export type FromThread =
  | { what: 'answer'; number: number; value: unknown }
  | { what: 'failure'; number: number; error: unknown }
  | { what: 'find'; number: number; run: PackedOwner }
