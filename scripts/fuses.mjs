// The last step of a package: switches inside Electron's executable that nobody can turn on again from outside. Playwright, too,
// needs one of them, so whatever drives the window comes before.
import { capture, inRoot, projectNode, Refusal } from './node.mjs'

/** On or off, by the names of @electron/fuses. */
const sealed = {
  RunAsNode: 'off', // nobody uses the program as a Node
  EnableNodeOptionsEnvironmentVariable: 'off',
  EnableNodeCliInspectArguments: 'off',
  OnlyLoadAppFromAsar: 'on',
  GrantFileProtocolExtraPrivileges: 'off', // the window is not loaded from files
  EnableCookieEncryption: 'off', // it has no cookies, and would ask for the person's key ring
}

/** @param {string} program @returns {Promise<string>} what was done */
export async function setFuses(program) {
  const wanted = Object.entries(sealed)
  await fuses('write', program, ...wanted.map(([name, state]) => `${name}=${state}`))
  const said = await fuses('read', program)
  const wrong = wanted.filter(([name, state]) => stateOf(said, name) !== state).map(([name]) => name)
  if (wrong.length > 0)
    throw new Refusal('fuses_failed', `the program does not have these fuses as set: ${wrong.join(', ')}.`)
  return wanted.map(([name, state]) => `${name} ${state}`).join(', ')
}

/** Of one fuse, in what `electron-fuses read` prints. @param {string} said @param {string} name */
export function stateOf(said, name) {
  const found = new RegExp(`\\b${name} is (Enabled|Disabled)\\b`).exec(said)?.[1]
  return found === undefined ? null : found === 'Enabled' ? 'on' : 'off'
}

/** @param {'read' | 'write'} what @param {string} program @param {string[]} settings */
async function fuses(what, program, ...settings) {
  const script = inRoot('node_modules', '@electron', 'fuses', 'dist', 'bin.js')
  const env = { ...process.env, NO_COLOR: '1' } // it is read here
  const { code, output } = await capture(projectNode(), [script, what, '--app', program, ...settings], { env })
  if (code !== 0) throw new Refusal('fuses_failed', output.trim())
  return output
}
