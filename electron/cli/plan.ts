// signum plan: a budget divided among a model's linears, as a table and as a recipe to be changed and run.
import { failure } from '../contract/errors.ts'
import { recipeText } from '../contract/override-text.ts'
import { linearRecipes } from '../contract/overrides.ts'
import type { PlanAnswer } from '../contract/plan.ts'
import * as quantities from '../contract/quantities.ts'
import { saveRecipe } from '../workbench.ts'
import { budgetOption } from './budget.ts'
import { refusal, reply, type Command } from './command.ts'
import { mixedOptions, planned } from './mixed.ts'
import { overrideOptions, textOptions } from './recipe-options.ts'
import { table, type Column } from './table.ts'

const columns: Column[] = [
  { title: 'linear', align: 'left' },
  { title: 'recipe', align: 'left' },
  { title: 'size', align: 'right' },
  { title: 'output error', align: 'right' },
  { title: 'loss', align: 'right' },
]

export const plan: Command = {
  spec: {
    name: 'plan',
    summary: 'Divide a budget among the linears of a model, by what candidate recipes lose on each of them.',
    positionals: [{ name: 'MODEL', help: 'a Hugging Face model folder.' }],
    options: [
      { ...budgetOption, help: 'What to divide: 2.25bpw (linear bits per weight), 900MB or 1.2GB (of all files).' },
      ...mixedOptions,
      ...overrideOptions,
      {
        name: 'save-recipe',
        value: 'FILE.json',
        kind: 'text',
        help: 'Write the recipe, to be changed and run with signum quantize MODEL --recipe FILE.json.',
      },
      ...textOptions,
      { name: 'threads', value: 'N', kind: 'integer', max: 4096, help: 'Worker threads (default one per core).' },
    ],
    notes: [
      'Candidates are measured once for a model and a calibration; the file that keeps it is named, and may be deleted.',
      'loss: nats of KL divergence that the linear is expected to add to the predictions, in thousandths.',
    ],
  },

  async run(task) {
    const { values } = task
    const done = await planned(task, values.positionals[0]!)
    if ('reply' in done) return done.reply
    const { answer } = done
    const saved = values.text('save-recipe')
    if (saved !== undefined) {
      const written = await saveRecipe(saved, answer.recipe)
      if (!written.ok) return refusal(written.problem)
    }
    if (answer.plan.choices.length === 0) return refusal(failure('internal', 'The model has no linears.').problem)
    return reply(planText(answer, saved ?? null), answer)
  },
}

export function planText({ recipe, plan: { choices, ...totals }, measured, file }: PlanAnswer, saved: string | null) {
  const { sizes, loss, lambda, unused, uniform } = totals
  const recipes = linearRecipes(
    recipe,
    choices.map(({ name }) => name),
  )
  const rows = choices.map(({ name, bytes, error, loss: its }) => [
    name,
    recipeText(recipes.get(name) ?? null),
    quantities.size(bytes),
    error === null ? '' : error.toFixed(3),
    its === null ? '' : thousandths(its),
  ])
  const best = uniform && measured.candidates[uniform.candidate]!
  const lines: [string, string][] = [
    ['size', `${quantities.bits(sizes.linear)} linear bits per weight, ${quantities.size(sizes.file_bytes)} of files`],
    ['left', `${quantities.size(unused)} of the budget`],
    ['loss', `${thousandths(loss)}, at ${(lambda * 1e6).toExponential(2)} per kilobyte`],
    [
      'all alike',
      best === null
        ? 'no candidate fits'
        : `${thousandths(uniform!.loss)} with ${recipeText(best)}, ${quantities.bits(uniform!.sizes.linear)} linear bits`,
    ],
    [
      'measured',
      `${new Date(measured.measured_at).toISOString()}, ${quantities.duration(measured.seconds)}${file === null ? '' : `, kept in ${file}`}`,
    ],
  ]
  if (saved !== null) lines.push(['recipe', saved])
  return [table(columns, rows), '', ...lines.map(([title, text]) => `${title.padEnd(13)}${text}`)].join('\n')
}

const thousandths = (nats: number) => (1000 * nats).toFixed(2)
