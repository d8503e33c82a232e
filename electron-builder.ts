// Installers made by electron-builder from what Forge packaged: what is inside is decided in forge.config.ts.
import type { Configuration } from 'electron-builder'

const config: Configuration = {
  appId: 'dev.signum.workbench',
  productName: 'Signum',
  npmRebuild: false,
  compression: 'normal',
  artifactName: '${name}-${version}-${os}-${arch}.${ext}',
  linux: { icon: 'resources/icons/signum.png', category: 'Science', target: ['tar.gz', 'AppImage'] },
  win: { icon: 'resources/icons/signum.png', target: ['nsis'] },
  mac: { icon: 'resources/icons/signum.png', category: 'public.app-category.developer-tools', target: ['dmg'] },
}
export default config
