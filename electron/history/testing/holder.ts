// A process that works on a run until it is ended from outside: `holder.ts DATA RUN`. Prints what came of its claim.
import { openHistory } from '../history.ts'

const [data = '', run = ''] = process.argv.slice(2)
const opened = await openHistory(data)
if (!opened.ok) throw new Error(opened.problem.message)
const history = opened.value
const claimed = history.decide(() => {
  const lease = history.leases.acquire(Number(run), 'cpu')
  if (lease.ok) history.runs.goOn(Number(run))
  return lease
})
console.log(claimed.ok ? 'held' : claimed.problem.code)
process.stdin.on('data', () => {
  const renewed = history.write(() => history.leases.renew(Number(run)))
  console.log(renewed.ok && renewed.value ? 'renewed' : 'lost')
})
