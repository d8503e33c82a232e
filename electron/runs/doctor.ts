// Is everything there that Signum needs? Each answer with the line to type when not.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Answer, Attention, Check, Ending } from '../contract/api.ts'
import { cardMemory, cardTitle } from '../contract/devices.ts'
import { size } from '../contract/quantities.ts'
import type { Result } from '../contract/errors.ts'
import type { History } from '../history/history.ts'
import { findCards } from './cards.ts'
import { work, type Context } from './context.ts'
import { textsFolder } from './source.ts'

const setup = 'npm run setup'

export async function doctor(context: Context, attention: Attention): Promise<Ending<Answer<'doctor'>>> {
  const checks: Check[] = [node(), ...(await workerChecks(context, attention)), await memory(context)]
  checks.push(...(await cardChecks(context)))
  checks.push(
    await there('demo model', path.join(context.root, 'resources', 'models', 'signum-stories-4m', 'config.json')),
  )
  checks.push(await there('texts', path.join(textsFolder(context.root), 'calibration-stories.txt')))
  if (context.history) checks.push(history(await context.history()))
  return { kind: 'finished', value: { version: context.version, checks } }
}

/** The window brings its own Node, which runs no TypeScript: only the command line asks for a newer one. */
function node(): Check {
  const { version, platform, arch } = process
  const { electron } = process.versions
  if (electron !== undefined) {
    return { name: 'Electron', ok: true, state: `${electron}, Node ${version} on ${platform} ${arch}`, remedy: null }
  }
  const state = `${version} on ${platform} ${arch}`
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 22 || (major === 22 && minor >= 18)
  return { name: 'Node', ok, state, remedy: ok ? null : setup }
}

async function workerChecks(context: Context, attention: Attention): Promise<Check[]> {
  if (!context.worker.ok) {
    return [{ name: 'worker', ok: false, state: context.worker.problem.message, remedy: setup }]
  }
  const program = context.worker.value
  let said = ''
  const ending = await work(context, 'devices', { version: 1, threads: 0 }, attention, null, {
    onEvent: (event) => {
      if (event.event === 'started') said = event.program
    },
  })
  if (ending.kind !== 'finished') {
    const state = ending.kind === 'failed' ? ending.problem.message : 'gave no answer'
    return [{ name: 'worker', ok: false, state: `${program}: ${state}`, remedy: setup }]
  }
  const { threads, simd, blas, memory_bytes } = ending.value.cpu
  const fine = (name: string, state: string): Check => ({ name, ok: true, state, remedy: null })
  return [
    fine('worker', `${said}, ${program}`),
    fine('processor', `${threads} threads, ${size(memory_bytes)} of memory`),
    fine('SIMD', simd),
    fine('BLAS', blas),
  ]
}

/** A machine without a card is in order; of one with a card it is told what makes it slower than it could be. */
async function cardChecks(context: Context): Promise<Check[]> {
  const { devices, driver, built, reason, libraries } = await findCards(context)
  const fine = (name: string, state: string): Check => ({ name, ok: true, state, remedy: null })
  const cuda = [
    driver === null ? null : `driver for CUDA ${driver}`,
    built === null ? null : `built with CUDA ${built}`,
  ]
  const versions = cuda.filter((one) => one !== null).join(', ')
  if (devices.length === 0) {
    // A driver that is too old is told with both versions already.
    const told = reason ?? 'No card was found.'
    const more = versions === '' || (driver !== null && told.includes(driver)) ? '' : ` (${versions})`
    return [fine('GPU', `none: ${told}${more}`)]
  }
  const missing = libraries.filter(({ path }) => path === null).map(({ name }) => name)
  const found = libraries.flatMap(({ name, path, version }) =>
    path === null ? [] : `${name}${version === null ? '' : ` ${version}`} (${path})`,
  )
  if (libraries.length === 0 || missing.length > 0) {
    found.push(`${missing.join(', ') || 'cuBLAS, cuSOLVER'} not found: own kernels serve, slower`)
  }
  return [
    ...devices.map((card, at) =>
      fine(at === 0 ? 'GPU' : `GPU ${at + 1}`, `${cardTitle(card)}: ${cardMemory(card)}, compute ${card.compute}`),
    ),
    fine('CUDA', versions || 'versions not known'),
    fine('CUDA libs', found.join('; ')),
  ]
}

function history(opened: Result<History>): Check {
  if (!opened.ok) return { name: 'history', ok: false, state: opened.problem.message, remedy: 'signum runs --data DIR' }
  const runs = opened.value.read(() => opened.value.runs.list().length)
  const state = runs.ok
    ? `${opened.value.data}, ${runs.value} ${runs.value === 1 ? 'run' : 'runs'}`
    : runs.problem.message
  return { name: 'history', ok: runs.ok, state, remedy: runs.ok ? null : 'signum runs --data DIR' }
}

async function memory(context: Context): Promise<Check> {
  const available = await context.machine.availableMemory()
  const ok = available > 512 * 2 ** 20
  return { name: 'free memory', ok, state: size(available), remedy: ok ? null : 'close other programs' }
}

async function there(name: string, file: string): Promise<Check> {
  const found = await stat(file).then(Boolean, () => false)
  return {
    name,
    ok: found,
    state: found ? path.dirname(file) : `${file} is missing`,
    remedy: found ? null : 'git checkout -- resources',
  }
}
