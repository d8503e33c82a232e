// The window: sandboxed, on one page of our own, with no way out of it.
import { app, BrowserWindow, nativeTheme, screen, type Rectangle } from 'electron'
import { eventChannel, windowOrigin } from '../contract/channels.ts'
import type { WindowEvent } from '../contract/window.ts'
import type { Settings } from '../contract/settings.ts'

const smallest = { width: 1024, height: 700 }
const usual = { width: 1280, height: 800 }

/** Its page is on its way, but nobody sees it before `dress` has said what it looks like. */
export function createWindow(preload: string, icon: string): BrowserWindow {
  const window = new BrowserWindow({
    ...usual,
    minWidth: smallest.width,
    minHeight: smallest.height,
    show: false,
    title: 'Signum',
    icon,
    autoHideMenuBar: true,
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  })
  keepInside(window)
  void window.loadURL(`${windowOrigin}/index.html`)
  return window
}

/** As a person left it; shown as soon as its page can be. */
export async function dress(window: BrowserWindow, ready: Promise<void>, settings: Settings): Promise<void> {
  const { theme, bounds, zoom } = settings
  nativeTheme.themeSource = theme
  // As the page paints itself, so that nothing flashes before it does.
  window.setBackgroundColor(nativeTheme.shouldUseDarkColors ? '#131518' : '#f6f6f3')
  if (bounds && onScreen(bounds)) window.setBounds(bounds)
  await ready
  if (window.isDestroyed()) return
  window.webContents.setZoomFactor(zoom)
  if (bounds?.maximized) window.maximize()
  window.show()
}

export const readyToShow = (window: BrowserWindow): Promise<void> =>
  new Promise((resolve) => window.once('ready-to-show', () => resolve()))

function keepInside({ webContents }: BrowserWindow): void {
  webContents.setWindowOpenHandler(() => ({ action: 'deny' }))
  webContents.on('will-navigate', (event) => event.preventDefault())
  webContents.on('will-frame-navigate', (event) => event.preventDefault())
  webContents.on('will-attach-webview', (event) => event.preventDefault())
}

/** The screen that it was on may be gone. */
const onScreen = (bounds: Rectangle): boolean =>
  screen.getAllDisplays().some(({ workArea: area }) => {
    const width = Math.min(bounds.x + bounds.width, area.x + area.width) - Math.max(bounds.x, area.x)
    const height = Math.min(bounds.y + bounds.height, area.y + area.height) - Math.max(bounds.y, area.y)
    return width > 100 && height > 100
  })

export function sendTo(window: BrowserWindow | null, event: WindowEvent): void {
  if (window && !window.isDestroyed()) window.webContents.send(eventChannel, event)
}
