// The settings as the window knows them; changes are written at once.
import { standardSettings, type Settings } from '../../electron/contract/settings.ts'
import { ask, listen } from './client.ts'

class SettingsState {
  now = $state.raw<Settings>(standardSettings)

  async load(): Promise<void> {
    listen((event) => {
      if (event.kind === 'settings') this.now = event.settings
    })
    await this.refresh()
  }

  async refresh(): Promise<void> {
    const { value } = await ask('settings', {})
    if (value) this.now = value
  }

  async change(changes: Partial<Settings>): Promise<void> {
    this.now = { ...this.now, ...changes }
    await ask('changeSettings', changes)
  }
}

export const settings = new SettingsState()
