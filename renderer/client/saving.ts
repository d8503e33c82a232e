// A file that the window made goes where the person says; what became of it is said at the foot of the window.
import { ask } from './client.ts'
import { notices } from './notices.svelte.ts'

export async function saveFile(suggested: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const { value, problem } = await ask('saveFile', { suggested, bytes })
  if (problem) notices.say(problem.message)
  else if (value !== null) notices.say(`Saved as ${value}`)
}
