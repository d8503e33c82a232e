// What the colours of a picture mean, in words and numbers.
import type { PictureKind } from '../../../electron/contract/pictures.ts'
import { colourAt, css, gradientOf } from '../colours.ts'
import { groupName, weightText, type Paint } from './paint.ts'

export type Legend = {
  title: string
  /** A bar from low to high with numbers along it, or single colours with their names. */
  bar: { gradient: string; labels: string[] } | null
  swatches: { colour: string; text: string }[]
  note: string
}

export const kindTitles: Record<PictureKind, string> = {
  original: 'Original',
  quantized: 'Quantized',
  error: 'Error',
  sign: 'Sign',
  second: 'Second sign',
  salient: 'Salient columns',
  mask: 'Salient weights',
  group: 'Groups',
  code: 'Codes',
  flipped: 'Flipped signs',
  change: 'Error change',
}

/** Where there is little room. */
export const shortTitles: Record<PictureKind, string> = {
  ...kindTitles,
  second: '2nd sign',
  salient: 'Salient',
  mask: 'Salient',
}

/** `level`: of the cells that are seen; above 0 they stand for several weights. */
export function legendOf(kind: PictureKind, paint: Paint, level: number, known = true): Legend {
  const of = level === 0 ? '' : ` of ${2 ** level} × ${2 ** level} weights`
  const gradient = gradientOf(paint.table)
  const { low, high, groups } = paint
  const colour = (share: number) => css(colourAt(paint.table, share))
  // Before the scale is known its numbers keep their place.
  const numbers = (values: number[]) => values.map((value) => (known ? weightText(value, 2) : '\u2007'))
  const none = { colour: css(paint.none), text: 'has none' }
  switch (kind) {
    case 'original':
    case 'quantized':
      return {
        title: level === 0 ? 'Weight' : `Mean${of}`,
        bar: { gradient, labels: numbers([low, low / 2, 0, high / 2, high]) },
        swatches: [],
        note: '99.9 % of the weights lie inside; the others have the last colour.',
      }
    case 'error':
      return {
        title: level === 0 ? 'Size of the error' : `Root mean square error${of}`,
        bar: { gradient, labels: numbers([low, high / 4, high / 2, (3 * high) / 4, high]) },
        swatches: [],
        note: '99.9 % of the errors lie inside; the others have the last colour.',
      }
    case 'sign':
    case 'second': {
      const rest = kind === 'second' ? [none] : []
      if (level === 0) {
        const swatches = [
          { colour: colour(1), text: '+1' },
          { colour: colour(0), text: '−1' },
        ]
        return { title: kindTitles[kind], bar: null, swatches: [...swatches, ...rest], note: '' }
      }
      const percent = (share: number) => `${(100 * share).toFixed(share === Math.round(share) ? 0 : 1)} %`
      const labels = [percent(low), '50 %', percent(high)]
      return { title: `Share of +1${of}`, bar: { gradient, labels }, swatches: rest, note: '' }
    }
    case 'group': {
      const named = Array.from({ length: groups }, (_, place) => ({
        colour: colour(1 - place / (groups - 1)),
        text: groupName({ place, of: groups }),
      }))
      const swatches = [...named, none]
      const bar = { gradient, labels: ['0 %', '50 %', '100 %'] }
      return level === 0
        ? { title: 'Group', bar: null, swatches, note: '' }
        : {
            title: `Share of the sparse group${of}`,
            bar,
            swatches: [none],
            note: groups > 2 ? 'Groups between sparse and concentrated count in part.' : '',
          }
    }
    case 'salient': {
      const swatches = [
        { colour: colour(1), text: 'two signs' },
        { colour: colour(0), text: 'one sign' },
      ]
      const bar = { gradient, labels: ['0 %', '50 %', '100 %'] }
      return level === 0
        ? { title: 'Columns', bar: null, swatches, note: '' }
        : { title: `Share of salient columns of ${2 ** level}`, bar, swatches: [], note: '' }
    }
    case 'mask': {
      const swatches = [
        { colour: colour(1), text: 'code' },
        { colour: colour(0), text: 'sign' },
      ]
      const bar = { gradient, labels: ['0 %', '50 %', '100 %'] }
      return level === 0
        ? { title: 'Weights', bar: null, swatches, note: '' }
        : { title: `Share of salient weights${of}`, bar, swatches: [], note: '' }
    }
    case 'flipped': {
      const swatches = [
        { colour: colour(1), text: 'flipped' },
        { colour: colour(0), text: 'same sign' },
      ]
      const bar = { gradient, labels: [0, high / 2, high].map((share) => `${100 * share} %`) }
      return level === 0
        ? { title: 'Sign', bar: null, swatches, note: '' }
        : { title: `Share of flipped signs${of}`, bar, swatches: [], note: '' }
    }
    case 'change':
      return {
        title: level === 0 ? 'Change of the error' : `Mean change of the error${of}`,
        bar: { gradient, labels: numbers([low, 0, high]) },
        swatches: [
          { colour: colour(0.15), text: 'second better' },
          { colour: colour(0.85), text: 'worse' },
        ],
        note: '|error| of the second run less |error| of the first: below 0 the second is better.',
      }
    case 'code':
      return {
        title: level === 0 ? 'Code' : `Mean code${of}`,
        bar: { gradient, labels: [String(low), String(high)] },
        swatches: [],
        note: '',
      }
  }
}
