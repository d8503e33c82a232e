// Writes into a history without end, for the kill test: `writer.ts DATA NAME [--lie]`. A line on standard output is written
// only after the commit that it speaks of returned: what was said there must be found, whatever happens to this process.
import { writeSync } from 'node:fs'
import type { RunReport } from '../../contract/records.ts'
import type { Result } from '../../contract/errors.ts'
import { openHistory } from '../history.ts'
import { layerReport, measurement, model, newRun, recipe, text } from './open.ts'

const [data = '', name = '', lie] = process.argv.slice(2)
const opened = await openHistory(data)
if (!opened.ok) throw new Error(opened.problem.message)
const history = opened.value
const { runs, models, leases, layerReports, metrics } = history

const say = (...words: (string | number)[]) => void writeSync(1, `${words.join(' ')}\n`)
function sure<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.problem.message} ${result.problem.detail}`)
  return result.value
}
const report = {
  program: 'writer',
  bits: { nominal: 1, linear: 2, file: 3 },
  sizes: { file_bytes: 1, linear_bytes: 2 },
  seconds: {},
  peak_resident_bytes: 1,
} as unknown as RunReport

say('ready')
for (let i = 0; ; i++) {
  const id = sure(history.write(() => runs.add(newRun(`/runs/${name}/${i}`))))
  say('added', id)
  if (lie !== undefined) {
    say('finished', id)
    continue
  }
  const begun = sure(
    history.write(() => {
      runs.begin(id, models.see(model(`/models/${name}`)), 8, recipe())
      return leases.acquire(id, name)
    }),
  )
  if (!begun.ok) throw new Error(begun.problem.message)
  say('running', id)
  for (let layer = 0; layer < 8; layer++) {
    sure(
      history.write(() => {
        for (const kind of ['q', 'k', 'v', 'o']) layerReports.put(id, layerReport(`${layer}.${kind}`, layer))
        runs.advance(id, layer + 1)
        leases.renew(id)
      }),
    )
    say('layers', id, layer + 1)
  }
  sure(
    history.write(() => {
      metrics.put({ run: id }, 'packed', text, measurement(i))
      runs.finish(id, report)
      leases.release(id)
    }),
  )
  say('finished', id)
  if (i % 3 === 1) {
    sure(
      history.write(() => {
        history.tags.add(id, name)
        runs.archive(id, true)
      }),
    )
    say('tagged', id)
    sure(history.write(() => runs.hide(id)))
    say('deleted', id)
    if (i % 2 === 0) continue
    sure(history.write(() => runs.unhide(id, `/runs/${name}/${i}`)))
    say('undone', id)
  }
  if (i % 3 !== 0) continue
  sure(history.write(() => runs.remove(id)))
  say('removed', id)
}
