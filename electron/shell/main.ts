// The program with a window: its start-up, in order, and its end.
import path from 'node:path'
import { app, BrowserWindow, dialog, protocol, session } from 'electron'
import log from 'electron-log/main.js'
import { windowScheme } from '../contract/channels.ts'
import type { WindowEvent } from '../contract/window.ts'
import { standardSettings } from '../contract/settings.ts'
import { openWorkbench, type Workbench } from '../workbench.ts'
import { answerCalls } from './ipc.ts'
import { setMenu } from './menu.ts'
import { serve } from './protocol.ts'
import { changeAndWear, changeZoom } from './settings.ts'
import { createWindow, dress, readyToShow, sendTo } from './window.ts'

const here = import.meta.dirname
/** A checkout, or the resources of the packaged program. */
const root = app.isPackaged ? process.resourcesPath : app.getAppPath()

log.transports.console.level = app.isPackaged ? false : 'warn'
log.errorHandler.startCatching({ showDialog: false })

protocol.registerSchemesAsPrivileged([
  { scheme: windowScheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
])
// Chromium has no sandbox for root; there the start script says --no-sandbox, and the window's own settings still hold.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()

let window: BrowserWindow | null = null
const tell = (event: WindowEvent) => sendTo(window, event)

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => {
    if (window?.isMinimized()) window.restore()
    window?.focus()
  })
  // Not awaited at the top level: in an ES module that would keep Electron from ever becoming ready.
  void app
    .whenReady()
    .then(start)
    .catch((error: unknown) => {
      log.error(error)
      dialog.showErrorBox('Signum cannot start', String(error))
      app.exit(1)
    })
} else app.quit()

async function start(): Promise<void> {
  const pictureThread = path.join(here, 'picture-thread.js')
  const workbench = await openWorkbench(root, { version: app.getVersion() }, { pictureThread })
  serve(path.join(here, '..', 'renderer'), workbench)
  // Nothing that a page may ask a browser for is needed here: camera, notifications, devices, downloads.
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, decide) => decide(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
  session.defaultSession.on('will-download', (event) => event.preventDefault())
  const change = changeAndWear(workbench, () => window, tell)
  answerCalls(workbench, change, () => window, tell)
  // The page loads in its own process while the history is opened in this one.
  window = createWindow(
    path.join(here, '..', 'preload', 'index.cjs'),
    path.join(root, 'resources', 'icons', 'signum.png'),
  )
  const ready = readyToShow(window)
  endWith(window, workbench)
  setMenu((by) => void changeZoom(window, change, by))
  const settings = await workbench.settings({})
  await dress(window, ready, settings.kind === 'finished' ? settings.value : standardSettings)
  const begun = await workbench.start(tell)
  if (!begun.ok) log.error(begun.problem)
}

/** The window's end is the program's: first its place is kept, and a run at work may finish its layer. */
function endWith(shown: BrowserWindow, workbench: Workbench): void {
  let leaving = false
  const atWork = async () => {
    const queue = await workbench.queue({})
    return queue.kind === 'finished' ? queue.value.running : []
  }
  const leave = async () => {
    if (!shown.isDestroyed()) {
      await workbench.changeSettings({ bounds: { ...shown.getNormalBounds(), maximized: shown.isMaximized() } })
    }
    // Waits for the worker: what is finished is durable then.
    await workbench.close()
    app.exit(0)
  }
  const ask = async () => {
    const running = await atWork()
    if (running.length > 0) {
      const { response } = await dialog.showMessageBox(shown, {
        type: 'question',
        message: running.length === 1 ? `Run ${running[0]} is at work.` : `Runs ${running.join(' and ')} are at work.`,
        detail:
          running.length === 1
            ? 'It can finish the layer in hand and be resumed later from there; what is finished is kept.'
            : 'They can finish the layers in hand and be resumed later from there; what is finished is kept.',
        buttons: ['Stop after this layer and quit', 'Keep working'],
        defaultId: 1,
        cancelId: 1,
      })
      if (response === 1) {
        leaving = false
        return
      }
      shown.hide()
      for (const id of running) await workbench.stopRun({ id })
    }
    await leave()
  }
  /** Nobody can be asked: what is at work ends within two seconds, and can be resumed. */
  const obey = async () => {
    for (const id of await atWork()) await workbench.cancelRun({ id })
    await leave()
  }
  const once = (how: () => Promise<void>) => {
    if (leaving) return
    leaving = true
    void how().catch((error: unknown) => {
      log.error(error)
      app.exit(1)
    })
  }
  shown.on('close', (event) => {
    event.preventDefault()
    once(ask)
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => once(obey))
}

app.on('window-all-closed', () => app.quit())
