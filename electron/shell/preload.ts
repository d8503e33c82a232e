// The one thing that the page gets from this side: calls of the contract, and events. Which calls there are, and who may make
// them, is decided on the other side of the channel.
import { contextBridge, ipcRenderer, webUtils } from 'electron'
import { channelOf, eventChannel } from '../contract/channels.ts'

contextBridge.exposeInMainWorld('signum', {
  call: (name: string, request: unknown): Promise<unknown> => ipcRenderer.invoke(channelOf(name), request),
  on: (listener: (event: unknown) => void): (() => void) => {
    const heard = (_event: unknown, event: unknown) => listener(event)
    ipcRenderer.on(eventChannel, heard)
    return () => void ipcRenderer.off(eventChannel, heard)
  },
  /** Where a dropped file or folder lies. */
  pathOf: (file: File): string => webUtils.getPathForFile(file),
})
