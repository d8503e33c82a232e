// signum quantize: a model folder to a packed model, measured.
import path from 'node:path'
import { cardTitle, deviceSchema } from '../contract/devices.ts'
import { failure, success, type Result } from '../contract/errors.ts'
import type { RunReport } from '../contract/records.ts'
import type { Recipe } from '../contract/recipe.ts'
import { saveRecipe } from '../workbench.ts'
import { budgetOption, fitBudget, type Fitted } from './budget.ts'
import { refusal, reply, unfinished, type Command, type Task } from './command.ts'
import { deviceFrom, deviceOption, precisionOption } from './device-options.ts'
import { checkMixed, isMixed, mixedOptions, planned } from './mixed.ts'
import { effectText } from '../contract/override-text.ts'
import { chosenTables, tableWords } from '../contract/tables.ts'
import * as quantities from '../contract/quantities.ts'
import { comparisonLines, measuredBy } from './evaluation-text.ts'
import { methodOptions, overrideOptions, recipeFrom, textOptions } from './recipe-options.ts'

export const quantize: Command = {
  interrupt: 'stops',
  spec: {
    name: 'quantize',
    summary: 'Turn a model folder into a packed model and measure both.',
    positionals: [{ name: 'MODEL', help: 'a Hugging Face model folder.', optional: true }],
    options: [
      ...methodOptions,
      ...overrideOptions,
      budgetOption,
      ...mixedOptions,
      {
        name: 'save-recipe',
        value: 'FILE.json',
        kind: 'text',
        help: 'Write the recipe; without --out nothing else is done.',
      },
      ...textOptions,
      {
        name: 'out',
        value: 'DIR',
        kind: 'text',
        help: "The run's folder: new or empty. The packed model is DIR/packed.",
      },
      { name: 'name', value: 'NAME', kind: 'text', help: 'What the history calls the run.' },
      { name: 'resume', kind: 'flag', help: 'Go on with the run in --out; all other options may be left out.' },
      deviceOption,
      precisionOption,
      { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
    ],
    notes: [
      'Ctrl-C stops after the layer in hand (exit code 3), twice cancels (4); both go on with --resume.',
      'FILE may be bundled:calibration-stories or -broad, bundled:evaluation-stories, -tales or -samples.',
    ],
  },

  async run(task) {
    const { values, workbench, attention } = task
    const [model] = values.positionals
    const suits = checkMixed(values)
    if (!suits.ok) return refusal(suits.problem)
    const fitted = isMixed(values) ? await withPlan(task, model) : await asAsked(task, model)
    if ('reply' in fitted) return fitted.reply
    const { recipe } = fitted
    const out = values.text('out')
    const saved = values.text('save-recipe')
    if (saved !== undefined && recipe !== null) {
      const done = await saveRecipe(saved, recipe)
      if (!done.ok) return refusal(done.problem)
      if (out === undefined) return reply(`The recipe is in ${saved}.`, { recipe: saved })
    }
    const folder = modelOf(task, model, recipe)
    if (!folder.ok) return refusal(folder.problem)
    if (out === undefined)
      return refusal(failure('option_invalid', 'Say where the run goes: --out DIR, a new or empty folder.').problem)
    const device = deviceFrom(values)
    if (!device.ok) return refusal(device.problem)
    const request = {
      model: folder.value,
      recipe,
      out,
      resume: values.flag('resume'),
      threads: values.integer('threads') ?? 0,
      name: values.text('name') ?? null,
      ...device.value,
      // Named, not left to Signum: then it may be another one than before.
      elsewhere: deviceSchema.safeParse(device.value.device).success,
    }
    const ending = await workbench.quantize(request, attention)
    if (ending.kind !== 'finished') return unfinished(ending, `Go on with: signum quantize --resume --out ${out}`)
    return reply(summary(ending.value), ending.value)
  },
}

async function withPlan(task: Task, model: string | undefined): Promise<Fitted> {
  const { values, attention } = task
  if (values.flag('resume')) return resumed
  const folder = modelOf(task, model, null)
  if (!folder.ok) return { reply: refusal(folder.problem) }
  const done = await planned(task, folder.value!)
  if ('reply' in done) return done
  const { recipe, plan } = done.answer
  const { linear, file_bytes } = plan.sizes
  const size = `${quantities.bits(linear)} linear bits per weight, ${quantities.size(file_bytes)} of files`
  attention.onNote?.({ code: 'budget', message: `${recipe.overrides.length + 1} recipes for ${size}.` })
  return { recipe }
}

const resumed: Fitted = {
  reply: refusal(
    failure('option_invalid', 'A run that is resumed has its parameters: leave out --budget and --method mixed.')
      .problem,
  ),
}

async function asAsked(task: Task, model: string | undefined): Promise<Fitted> {
  const asked = await recipeFrom(task.values, model)
  return asked.ok ? withBudget(task, model, asked.value) : { reply: refusal(asked.problem) }
}

async function withBudget(task: Task, model: string | undefined, recipe: Recipe | null): Promise<Fitted> {
  if (!task.values.given('budget')) return { recipe }
  if (recipe === null || task.values.flag('resume')) return resumed
  const folder = modelOf(task, model, recipe)
  return folder.ok ? fitBudget(task, folder.value!, recipe) : { reply: refusal(folder.problem) }
}

/** A run that is resumed, and a recipe that was kept with a run, know their model. */
function modelOf({ values }: Task, model: string | undefined, recipe: Recipe | null): Result<string | null> {
  if (model !== undefined) return success(model)
  if (recipe?.model !== undefined) return success(recipe.model)
  if (values.flag('resume')) return success(null)
  return failure('option_invalid', 'signum quantize needs MODEL: a Hugging Face model folder.')
}

export function summary(report: RunReport): string {
  const { bits, sizes, perplexity, recipe, seconds, device } = report
  const lines: [string, string][] = [
    [
      'model',
      `${path.basename(report.model.path)}: ${quantities.amount(report.model.parameters)} parameters, ${report.model.dtype}`,
    ],
    [
      'method',
      [recipe.method, ...Object.entries(recipe.parameters).map(([key, value]) => `${key}=${value}`)].join(' '),
    ],
    ...recipe.overrides.map((one): [string, string] => ['override', `${one.match}: ${effectText(one)}`]),
    ...chosenTables(recipe).map(([key, type]): [string, string] => [key.replace('_type', ''), tableWords[type]]),
    [
      'bits',
      `${quantities.bits(bits.nominal)} nominal, ${quantities.bits(bits.linear)} linear, ${quantities.bits(bits.file)} file`,
    ],
    ['size', `${quantities.size(sizes.file_bytes)} of ${quantities.size(sizes.original_bytes ?? report.model.bytes)}`],
  ]
  for (const { text, original, packed, comparison } of perplexity) {
    const both = `${quantities.perplexity(packed)}, original ${quantities.perplexity(original)}`
    lines.push(['perplexity', `${both} (${measuredBy(text, packed)})`])
    if (comparison !== null) lines.push(...comparisonLines(comparison).slice(1, 4))
  }
  if (perplexity.length === 0) lines.push(['perplexity', 'not measured'])
  const worst = report.layers.toSorted((a, b) => errorOf(b) - errorOf(a))[0]
  if (worst)
    lines.push([
      'worst linear',
      `${worst.name}, relative ${worst.relative_output_error === null ? 'weight' : 'output'} error ${errorOf(worst).toFixed(3)}`,
    ])
  if (device !== null) {
    const most = device.peak_bytes === null ? '' : `, at most ${quantities.size(device.peak_bytes)} of its memory`
    lines.push(['device', `${cardTitle(device)}, ${device.precision}${most}`])
  }
  const phases = Object.entries(seconds).map(([phase, s]) => `${phase} ${quantities.secondsText(s)}`)
  lines.push(
    ['seconds', phases.join(', ')],
    ['peak memory', report.peak_resident_bytes === null ? 'not known' : quantities.size(report.peak_resident_bytes)],
    ['packed', report.packed],
  )
  return lines.map(([title, text]) => `${title.padEnd(13)}${text}`).join('\n')
}

const errorOf = (layer: RunReport['layers'][number]) => layer.relative_output_error ?? layer.relative_weight_error ?? 0
