// A run in plain words: its status, what it is doing, and the lines of its log. Pure.
import { metricWords } from '../../../electron/contract/metric-words.ts'
import { amount, count, size, spent } from '../../../electron/contract/quantities.ts'
import { automatic, cardTitle, isCard } from '../../../electron/contract/devices.ts'
import type { Step } from '../../../electron/contract/api.ts'
import type { RunRow, RunStatus } from '../../../electron/contract/history.ts'
import { findMethod } from '../../../electron/contract/methods.ts'
import { lastPart } from '../../../electron/contract/run-name.ts'
import { bundledPrefix } from '../../../electron/contract/recipe.ts'
import type { Heard, Live } from '../../client/live.ts'
import { errorText } from '../../drawing/chart/error-by-depth.ts'
import { kindName } from '../../drawing/kind-colour.ts'

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'accent'

export const statusWords: Record<RunStatus, { word: string; tone: Tone; sentence: string }> = {
  queued: { word: 'Waiting', tone: 'plain', sentence: 'Waits for its turn.' },
  running: { word: 'At work', tone: 'accent', sentence: 'Is at work.' },
  stopped: { word: 'Stopped', tone: 'warn', sentence: 'Stopped after a layer, as asked.' },
  cancelled: { word: 'Cancelled', tone: 'plain', sentence: 'Cancelled, as asked.' },
  interrupted: { word: 'Interrupted', tone: 'warn', sentence: 'Its process ended, or gave no sign of life any more.' },
  failed: { word: 'Failed', tone: 'bad', sentence: 'Ended by a problem.' },
  finished: { word: 'Finished', tone: 'good', sentence: 'Finished.' },
}

/** A newer Signum may have left runs of methods that this one does not know. */
export const methodTitle = (id: string): string => {
  const method = findMethod(id)
  return method.ok ? method.value.title : id
}

/** A text as a person calls it: without the folder, or without the mark of those that came with Signum. */
export const textName = (source: string): string =>
  source.startsWith(bundledPrefix) ? source.slice(bundledPrefix.length) : lastPart(source)

export const stepWords = (step: Step | null): string => {
  if (step?.name !== 'evaluate') return ''
  const subjects = { original: 'the original', packed: 'the packed model', both: 'original and packed model' }
  const subject = subjects[step.subject]
  return step.source === '' ? subject : `${subject} on ${textName(step.source)}`
}

/** What is being done just now. Decoder layers are named by their numbers, as everywhere, from 0. */
export function phaseWords({ step, phase, layer, plan }: Pick<Live, 'step' | 'phase' | 'layer' | 'plan'>): string {
  if (step === null) return 'Getting ready: looking at the model and the texts'
  if (step.name === 'evaluate') return `Measuring ${stepWords(step)}`
  switch (phase) {
    case null:
      return 'Starting'
    case 'hash':
      return 'Checking the files of the model'
    case 'calibrate':
      return `Reading the calibration text, layer ${layer}`
    case 'factor':
      return `Factoring the Hessians of layer ${layer}`
    case 'quantize':
      return `Quantizing layer ${layer}`
    case 'propagate':
      return `Passing the text on through layer ${layer}`
    case 'write':
      return plan && layer < plan.layers ? `Writing layer ${layer}` : 'Writing what is not quantized'
    default:
      return phase
  }
}

export type LogLine = { text: string; tone: 'plain' | 'quiet' | 'good' | 'warn' | 'bad' }

const line = (text: string, tone: LogLine['tone'] = 'plain'): LogLine => ({ text, tone })
/** As the first word. */
export const capital = (words: string): string => words.slice(0, 1).toUpperCase() + words.slice(1)
const plural = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`

/** Null for what another line says. `layers`: of the model; the shard of what is not quantized has that number. */
export function logLine({ event, step, ...heard }: Heard, layers: number): LogLine | null {
  if (event === null) return line('note' in heard ? heard.note.message : '', 'warn')
  switch (event.event) {
    case 'started': {
      const what = step?.name === 'evaluate' ? `Measuring ${stepWords(step)}` : 'Started'
      return line(`${what}: ${event.program}, ${plural(event.threads, 'thread')}, ${event.simd}`)
    }
    case 'plan': {
      const before =
        event.resumed_layers > 0
          ? `; ${plural(event.resumed_layers, 'layer')} ${event.resumed_layers === 1 ? 'was' : 'were'} finished before`
          : ''
      return line(
        `${plural(event.layers, 'layer')}, ${plural(event.linears, 'linear')}, ${amount(event.weights)} weights${before}`,
      )
    }
    case 'layer': {
      const error = event.relative_output_error ?? event.relative_weight_error
      const name = `Layer ${event.layer}, ${kindName(event.kind)}`
      return line(
        `${name}: error ${errorText(error)}${event.seconds === null ? '' : `, ${spent(event.seconds)}`}`,
        'quiet',
      )
    }
    case 'saved': {
      const what = event.layer < layers ? `Layer ${event.layer} is saved` : 'What is not quantized is saved'
      return line(`${what}: ${size(event.bytes)}`)
    }
    case 'metric': {
      const words = metricWords(event)
      const text = step?.name === 'evaluate' && step.source !== '' ? ` on ${textName(step.source)}` : ''
      return words && line(`${capital(words.title)} of the packed model${text}: ${words.text}`, 'good')
    }
    case 'warning':
      return line(event.message, 'warn')
    case 'finished':
      return step?.name === 'evaluate' ? null : line('All layers are done', 'quiet')
    case 'stopped':
      return line(`Stopped: ${event.finished_layers} of ${event.layers} layers are finished`, 'warn')
    case 'cancelled':
      return line('Cancelled', 'warn')
    case 'failed':
      return line(event.message, 'bad')
    default:
      return line(event.event, 'quiet')
  }
}

/** Today the time, this year the day, before that the year too. */
export function whenText(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)]
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  if (date.toDateString() === today.toDateString()) return time
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  return date.getFullYear() === today.getFullYear() ? `${day} ${time}` : `${day} ${date.getFullYear()}`
}

export const whenFully = (at: number): string =>
  new Date(at).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'medium' })

/** Where a run computes, or is to compute: nothing of the processor, which is as usual. */
export function deviceWords({ device, device_name: name }: Pick<RunRow, 'device' | 'device_name'>): string {
  if (name !== null) return `on ${cardTitle({ id: device, name })}`
  return isCard(device) ? `on ${device}` : device === automatic ? 'device left to Signum' : ''
}
