// Installers made by electron-builder from what Forge packaged: what is inside is decided in forge.config.ts.
import type { Configuration } from 'electron-builder'

const config: Configuration = {
  appId: 'dev.signum.workbench',
  productName: 'Signum',
  npmRebuild: false,
  compression: 'normal',
  artifactName: '${name}-${version}-${os}-${arch}.${ext}',
  linux: { category: 'Science', target: ['tar.gz', 'AppImage'] },
  win: { target: ['nsis'] },
  mac: { category: 'public.app-category.developer-tools', target: ['dmg'] },
}
export default config
