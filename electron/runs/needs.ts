// What a run takes of memory and disk, estimated before it starts.
import type { Model } from '../contract/records.ts'
import { weightsOf } from '../bits/counts.ts'
import { inputOf } from '../bits/forecast.ts'

/** `streams`: 2 where the original model is followed beside the quantized one. */
export type Sampling = { sequences: number; length: number; streams?: 1 | 2 }

const f32 = 4
/** Program, buffers, allocator. */
const base = 64 * 2 ** 20
/** The same with a card's driver and its libraries. */
const besideCard = 512 * 2 ** 20

/** Bytes of memory that may hold activations before they go to a file: a quarter of what is there, within reason. */
export const activationLimit = (availableMemory: number): number =>
  Math.round(Math.min(8 * 2 ** 30, Math.max(256 * 2 ** 20, availableMemory / 4)))

/** Inputs of one layer for all sequences, F32; the outputs take their place. */
const activationBytes = (model: Model, sampling: Sampling | null): number =>
  sampling === null ? 0 : sampling.sequences * sampling.length * model.hidden * f32

/** Whether they go to a file in the run's folder. */
export const activationsInFile = (model: Model, sampling: Sampling | null, limit: number): boolean =>
  activationBytes(model, sampling) > limit

/** Sequences that go through a layer together: up to 4096 tokens. */
const batch = (length: number): number => Math.max(1, Math.floor(4096 / length))

const weightsOfLayer = (model: Model): number => weightsOf(model.linears.filter(({ layer }) => layer === 0))

/** Numbers that a batch of tokens takes on its way through a layer. */
const passing = (model: Model, tokens: number): number => tokens * (5 * model.hidden + 3 * model.intermediate)

/** Tokens whose logits exist at once, of each model. */
const logitRows = 256

/**
 * Original and packed model on a text, one after the other: a layer in F32 with a batch on its way through, then both heads
 * and some logits; the last layer's outputs of both models stay in memory.
 */
export function evaluationMemoryNeeded(model: Model, window: number, tokens: number): number {
  const head = model.vocabulary * model.hidden
  const layer = weightsOfLayer(model) + passing(model, Math.min(tokens, batch(window) * window)) + head
  const logits = 2 * (head + logitRows * (model.vocabulary + model.hidden))
  return base + (Math.max(layer, logits) + 2 * tokens * model.hidden) * f32
}

/** The same with the models' layers on a card: a layer on its way there, and outputs where the card may have no room for them. */
export function evaluationBesideCard(model: Model, window: number, tokens: number, limit: number): number {
  const outputs = tokens * model.hidden * f32
  const onTheWay = (weightsOfLayer(model) + batch(window) * window * model.hidden) * f32
  return besideCard + onTheWay + (outputs <= limit ? 2 * outputs : 0)
}

/**
 * The largest moment: one layer in F32, the Hessian of each of its inputs, for the widest one its factor (F64 while it is
 * made), the method's copies of the largest weight, a batch on its way through, and the activations.
 */
export function memoryNeeded(model: Model, sampling: Sampling | null, limit: number): number {
  const first = model.linears.filter(({ layer }) => layer === 0)
  const largest = Math.max(0, ...first.map(({ rows, columns }) => rows * columns))
  const copies = base + 5 * largest * f32
  if (sampling === null) return copies
  const weights = weightsOfLayer(model)
  const inputs = [...new Map(first.map((linear) => [inputOf(linear), linear.columns])).values()]
  const hessians = inputs.reduce((total, n) => total + n * n, 0)
  const widest = Math.max(0, ...inputs)
  const tokens = batch(sampling.length) * sampling.length
  const activations = activationBytes(model, sampling)
  const streams = sampling.streams ?? 1
  const kept = activations <= limit ? streams * activations : 0
  // The other model's layer, what two inputs have in common, and copies of both.
  const second = streams === 2 ? weights + 2 * widest * widest + 2 * tokens * (model.hidden + widest) : 0
  return copies + (weights + hessians + passing(model, tokens) + second) * f32 + widest * widest * (f32 + 8) + kept
}

/** The diagonals of the Hessians, one for every linear, which a calibrated run keeps. */
const diagonalBytes = (model: Model): number => model.linears.reduce((total, { columns }) => total + columns * f32, 0)

/** The packed files, the diagnostics, the token files, and the activations when they do not stay in memory. */
export function diskNeeded(
  model: Model,
  fileBytes: number,
  sampling: Sampling | null,
  inFile: boolean,
  tokens: number,
): number {
  const diagonals = sampling === null ? 0 : diagonalBytes(model)
  const kept = inFile ? (sampling?.streams ?? 1) * activationBytes(model, sampling) : 0
  return fileBytes + diagonals + 4 * tokens + kept + 16 * 2 ** 20
}
