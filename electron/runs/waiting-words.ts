// Why a run waits: which devices it could begin on, and who has them. Pure.
import { isCard, processor } from '../contract/devices.ts'

/** Who has a device: a run at work, in another process where `pid` says so, or one that waits for it and comes first. */
export type Holder = { run: number; pid?: number; waits?: true }

/** `devices`: all of them are held. `left`: Signum chooses among them, and it fits on no other card. */
export function waitingWords(devices: readonly string[], holders: ReadonlyMap<string, Holder>, left: boolean): string {
  const places = devices.map((device) => placeWords(device, holders.get(device)))
  if (places.length > 1) return `It begins on the first to be free of ${places.join(' and ')}.`
  return `${left && isCard(devices[0]!) ? 'It fits only on' : 'It waits for'} ${places[0]}.`
}

function placeWords(device: string, holder: Holder | undefined): string {
  const name = device === processor ? 'the processor' : device
  if (holder === undefined) return name
  const { run, pid, waits } = holder
  if (waits) return `${name}, for which run ${run} waits before it`
  return `${name}, where run ${run} is at work${pid === undefined ? '' : ` in another program (process ${pid})`}`
}
