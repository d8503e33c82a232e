// How calls and events travel between the window and the program around it. No schemas here: the preload script, which is
// bundled for the sandbox, needs only these names.

export const channelOf = (call: string): string => `signum:${call}`
export const eventChannel = 'signum-event'

/** The window's own address; bytes of pictures come from the same origin. */
export const windowScheme = 'signum'
export const windowOrigin = `${windowScheme}://app`
