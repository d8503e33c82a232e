// A recipe as a list to read: every parameter with its value, the texts and how they are used. Pure.
import type { RunRow } from '../../../electron/contract/history.ts'
import { joinWords, type Calibration } from '../../../electron/contract/recipe.ts'
import { findMethod } from '../../../electron/contract/methods.ts'
import { effectText } from '../../../electron/contract/override-text.ts'
import type { ParameterValue } from '../../../electron/contract/parameters.ts'
import { count } from '../../../electron/contract/quantities.ts'
import { chosenTables, tableTitles, tableWords } from '../../../electron/contract/tables.ts'
import { methodTitle, textName } from './words.ts'

export type RecipeRow = {
  name: string
  value: string
  unit: string
  title: string
  /** Not as usual. */
  changed: boolean
}

const row = (name: string, value: string, title = '', unit = '', changed = false): RecipeRow => ({
  name,
  value,
  unit,
  title,
  changed,
})

export function recipeRows(recipe: RunRow['recipe']): { parameters: RecipeRow[]; texts: RecipeRow[] } {
  const method = findMethod(recipe.method)
  const known = new Map(method.ok ? method.value.parameters.map((one) => [one.key, one]) : [])
  const parameters = Object.entries(recipe.parameters).map(([key, value]) => {
    const parameter = known.get(key)
    if (!parameter) return row(plain(key), valueText(value))
    const special =
      parameter.type === 'integer' && parameter.special?.value === value ? parameter.special.meaning : null
    const unit = special === null ? parameter.unit : ''
    const changed = value !== parameter.default
    const title = changed ? `${parameter.help} Usual: ${valueText(parameter.default)}.` : parameter.help
    return row(plain(key), special ?? valueText(value), title, unit, changed)
  })
  const overrides = recipe.overrides.map((one) =>
    row(one.match, effectText(one), 'For the linears whose names match this', '', true),
  )
  const tables = chosenTables(recipe).map(([key, type]) =>
    row(tableTitles[key], tableWords[type], 'How it is stored; usually as it was', '', true),
  )
  return {
    parameters: [row('Method', methodTitle(recipe.method)), ...parameters, ...overrides, ...tables],
    texts: textRows(recipe),
  }
}

function textRows({ calibration, evaluations }: RunRow['recipe']): RecipeRow[] {
  const rows: RecipeRow[] = []
  if (calibration === null) rows.push(row('Calibration', 'none needed'))
  else {
    const { source, sampling, sequences, length, seed, join } = calibration
    rows.push(
      row('Calibration text', textName(source), source),
      row('Sequences', count(sequences), '', length === null ? 'of the usual length' : `of ${count(length)} tokens`),
      row('Sampling', samplingWords(sampling, seed)),
    )
    if (join !== 'raw') rows.push(row('Lines', joinWords[join]))
  }
  evaluations.forEach(({ source, window, protocol, join }, index) => {
    const windows = window === null ? 'windows of the usual length' : `windows of ${count(window)}`
    const lines = join === 'raw' ? '' : `, ${joinWords[join]}`
    const width = `protocol ${protocol}, ${windows}${lines}`
    rows.push(
      row(evaluations.length > 1 ? `Measured on (${index + 1})` : 'Measured on', textName(source), source, width),
    )
  })
  return rows
}

function samplingWords(sampling: Calibration['sampling'], seed: number): string {
  if (sampling === 'sequential') return 'one after the other, from the start'
  return `${sampling === 'documents' ? 'windows of random documents' : 'random'}, seed ${seed}`
}

const valueText = (value: ParameterValue): string =>
  typeof value === 'boolean' ? (value ? 'yes' : 'no') : typeof value === 'number' ? String(value) : value

/** scale_type is read as scale type. */
const plain = (key: string): string => key.replaceAll('_', ' ')
