// The contract's calls as channels between the window and this process.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { app, clipboard, dialog, ipcMain, shell, type BrowserWindow } from 'electron'
import { failure } from '../contract/errors.ts'
import type { Ending } from '../contract/api.ts'
import { channelOf } from '../contract/channels.ts'
import {
  windowCalls,
  windowContract,
  type ShellCall,
  type WindowCall,
  type WindowContract,
  type WindowEvent,
} from '../contract/window.ts'
import type { z } from 'zod'
import type { Workbench } from '../workbench.ts'
import { answer, type Handlers } from './calls.ts'
import { exportCalls } from './export-calls.ts'
import { labCalls } from './lab-calls.ts'
import { textCalls } from './text-calls.ts'

type Tell = (event: WindowEvent) => void
type Work = { [C in WindowCall]: Workbench[C] }
/** What has a file of its own. */
type OtherWork = 'cancelPlan' | 'startText' | 'stopText' | 'startExport' | 'cancelExport'
type ShellWork = {
  [C in ShellCall]: (
    request: z.output<WindowContract[C]['request']>,
  ) => Promise<Ending<z.infer<WindowContract[C]['answer']>>>
}

export function answerCalls(
  workbench: Workbench,
  changeSettings: Workbench['changeSettings'],
  window: () => BrowserWindow | null,
  tell: Tell,
): void {
  const plans = planCalls(workbench, tell)
  const handlers = {
    ...workbenchCalls(workbench, changeSettings),
    ...shellCalls(workbench, window, tell),
    ...plans,
    ...labCalls(workbench, tell),
    ...textCalls(workbench, tell),
    ...exportCalls(workbench, tell),
  } as unknown as Handlers
  for (const name of Object.keys(windowContract) as (keyof WindowContract)[]) {
    ipcMain.handle(channelOf(name), ({ senderFrame }, request: unknown) => {
      const own = window()?.webContents.mainFrame
      const sender = { url: senderFrame?.url ?? '', isWindow: own !== undefined && senderFrame === own }
      return answer(handlers, name, sender, request)
    })
  }
}

function workbenchCalls(workbench: Workbench, changeSettings: Workbench['changeSettings']): Work {
  const plain = Object.fromEntries(windowCalls.map((name) => [name, workbench[name]])) as Work
  return { ...plain, changeSettings }
}

/** Measuring takes long enough to be watched, and to be given up. A plan that is asked for next takes the place of the last. */
function planCalls(workbench: Workbench, tell: Tell) {
  let current = new AbortController()
  const cancelPlan: ShellWork['cancelPlan'] = () => {
    current.abort()
    return Promise.resolve(finished(null))
  }
  const plan = (request: Parameters<Workbench['plan']>[0]) => {
    current.abort()
    current = new AbortController()
    let [layers, done] = [1, 0]
    return workbench.plan(request, {
      cancel: current.signal,
      onEvent(event) {
        if (event.event === 'plan') layers = event.layers
        if (event.event === 'measured') done = event.layer + 1
        if (event.event === 'measured' || event.event === 'progress') tell({ kind: 'planning', share: done / layers })
      },
    })
  }
  return { plan, cancelPlan }
}

const finished = <T>(value: T) => ({ kind: 'finished', value }) as const

function shellCalls(workbench: Workbench, window: () => BrowserWindow | null, tell: Tell): Omit<ShellWork, OtherWork> {
  const open = async (options: Electron.OpenDialogOptions) => {
    const parent = window()
    const { filePaths } = await (parent ? dialog.showOpenDialog(parent, options) : dialog.showOpenDialog(options))
    return finished(filePaths[0] ?? null)
  }
  return {
    chooseFolder: ({ title }) => open({ title, properties: ['openDirectory'] }),
    chooseText: ({ title }) =>
      open({
        title,
        properties: ['openFile'],
        filters: [
          { name: 'Texts and token files', extensions: ['txt', 'md', 'raw', 'jsonl', 'json', 'gz', 'u32'] },
          { name: 'All files', extensions: ['*'] },
        ],
      }),
    chooseRecipe: ({ title }) =>
      open({
        title,
        properties: ['openFile'],
        filters: [
          { name: 'Recipes', extensions: ['json'] },
          { name: 'All files', extensions: ['*'] },
        ],
      }),
    async saveFile({ suggested, bytes }) {
      const options = { defaultPath: path.join(app.getPath('documents'), path.basename(suggested)) }
      const parent = window()
      const { filePath } = await (parent ? dialog.showSaveDialog(parent, options) : dialog.showSaveDialog(options))
      if (!filePath) return finished(null)
      try {
        await writeFile(filePath, bytes)
        return finished(filePath)
      } catch (error) {
        return {
          kind: 'failed',
          problem: failure('write_failed', `${filePath} cannot be written.`, String(error)).problem,
        }
      }
    },
    async chooseOutput({ title, suggested, folder }) {
      const name = path.basename(suggested)
      if (folder) {
        const parent = await open({ title, properties: ['openDirectory', 'createDirectory'] })
        return parent.value === null ? parent : finished(path.join(parent.value, name))
      }
      const options = { title, defaultPath: path.join(app.getPath('documents'), name) }
      const shown = window()
      const { filePath } = await (shown ? dialog.showSaveDialog(shown, options) : dialog.showSaveDialog(options))
      return finished(filePath || null)
    },
    async showExport({ run: id, id: which }) {
      const run = await workbench.run({ id })
      if (run.kind !== 'finished') return run
      const written = run.value.exports.find((one) => one.id === which)
      if (written === undefined) {
        return { kind: 'failed', problem: failure('run_unknown', `Run ${id} has no export ${which}.`).problem }
      }
      shell.showItemInFolder(written.path)
      return finished(null)
    },
    async copyText({ text }) {
      await clipboard.writeText(text)
      return finished(null)
    },
    async showRun({ id }) {
      const run = await workbench.run({ id })
      if (run.kind !== 'finished') return run
      if (run.value.folder === null) {
        return { kind: 'failed', problem: failure('run_lost', `The files of run ${id} are gone.`).problem }
      }
      shell.showItemInFolder(run.value.folder)
      return finished(null)
    },
    async openHistory() {
      const begun = await workbench.start(tell)
      return begun.ok ? finished(null) : { kind: 'failed', problem: begun.problem }
    },
    about: () => {
      const { electron = '', chrome = '', node = '', v8 = '' } = process.versions
      return Promise.resolve(
        finished({ version: workbench.version, data: workbench.data, versions: { electron, chrome, node, v8 } }),
      )
    },
  }
}
