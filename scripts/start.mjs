// `npm start`: sets up, builds the window where its sources changed, and opens it. Arguments go to the program.
import { electronProgram } from './electron.mjs'
import { main, Refusal, root, run, seconds } from './node.mjs'
import { forWindow, setup } from './setup.mjs'
import { buildWindow } from './window.mjs'

/** Why a window cannot open here; null when it can. @param {NodeJS.Platform} platform @param {NodeJS.ProcessEnv} environment */
export function withoutDisplay(platform, environment) {
  if (platform !== 'linux' || environment['DISPLAY'] || environment['WAYLAND_DISPLAY']) return null
  return 'there is no display to open a window on; `xvfb-run -a npm start` opens it unseen, and `npx signum` works without one.'
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const problem = withoutDisplay(process.platform, process.env)
    if (problem !== null) throw new Refusal('no_display', problem, 3)
    await setup(forWindow)
    const begin = performance.now()
    console.log(`window: ${await buildWindow()} (${seconds(begin)} s)`)
    const asRoot = process.platform === 'linux' && process.getuid?.() === 0
    if (asRoot) console.log("started by root, for whom Chromium's sandbox does not work: adding --no-sandbox")
    // Editors that are Electron programs themselves leave this behind in their terminals.
    const env = { ...process.env }
    delete env['ELECTRON_RUN_AS_NODE']
    return run(electronProgram(), [...(asRoot ? ['--no-sandbox'] : []), root, ...process.argv.slice(2)], { env })
  })
}
