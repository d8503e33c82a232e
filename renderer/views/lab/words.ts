// What the lab is doing, in words.

const phases: Record<string, string> = {
  open: 'Opening the model',
  load: 'Reading the weights',
  calibrate: 'Passing the text through the model, up to this linear',
  propagate: 'Passing the text through the model, up to this linear',
  factor: 'Preparing the inputs',
}

/** Of a phase that the worker may learn later, its own name. */
export const phaseText = (phase: string): string => phases[phase] ?? phase
