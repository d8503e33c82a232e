// The application menu: what every desktop program has. The window's own actions have their keys in the window.
import { app, Menu, type MenuItemConstructorOptions } from 'electron'

/** `zoom`: one step larger or smaller, or back to the usual size. */
export function setMenu(zoom: (by: 1 | -1 | 0) => void): void {
  // The window hears the keys itself: they work while the menu is hidden, and are written down like every other setting.
  const zoomItem = (label: string, accelerator: string, by: 1 | -1 | 0): MenuItemConstructorOptions => ({
    label,
    accelerator: `CommandOrControl+${accelerator}`,
    registerAccelerator: false,
    click: () => zoom(by),
  })
  const template: MenuItemConstructorOptions[] = [
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    { label: 'File', submenu: [{ role: process.platform === 'darwin' ? 'close' : 'quit' }] },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        zoomItem('Usual Size', '0', 0),
        zoomItem('Larger', 'Plus', 1),
        zoomItem('Smaller', '-', -1),
        { type: 'separator' },
        { role: 'togglefullscreen' },
        ...(app.isPackaged ? [] : [{ role: 'toggleDevTools' } as const]),
      ],
    },
    { role: 'windowMenu' },
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}
