// Settings that the program itself wears: colours and size of the window change as they are written down.
import { nativeTheme, type BrowserWindow } from 'electron'
import { nextZoom } from '../contract/settings.ts'
import type { WindowEvent } from '../contract/window.ts'
import type { Workbench } from '../workbench.ts'

type Change = Workbench['changeSettings']

export function changeAndWear(
  workbench: Workbench,
  window: () => BrowserWindow | null,
  tell: (event: WindowEvent) => void,
): Change {
  return async (request) => {
    const changed = await workbench.changeSettings(request)
    if (changed.kind === 'finished') {
      nativeTheme.themeSource = changed.value.theme
      window()?.webContents.setZoomFactor(changed.value.zoom)
      tell({ kind: 'settings', settings: changed.value })
    }
    return changed
  }
}

/** One size larger or smaller, or the usual one. */
export async function changeZoom(window: BrowserWindow | null, change: Change, by: 1 | -1 | 0): Promise<void> {
  if (window === null) return
  await change({ zoom: by === 0 ? 1 : nextZoom(window.webContents.getZoomFactor(), by) })
}
