// Linear inputs in two models at once: the original one and the one whose earlier linears are quantized
// (docs/METHODS.md, correction).
#pragma once

#include "calibrate/hessian.h"

namespace signum {

// A decoder layer in both models: its weights, and the residual stream that enters it for every calibration
// sequence.
struct PairedLayer {
  const DecoderLayer& original;
  const Activations& original_inputs;
  const DecoderLayer& quantized;  // linears before the input in question are quantized, the others original
  const Activations& quantized_inputs;
};

// x0 is the input in the original model, x in the quantized one; s0 and s are the residual streams that the
// outputs of the input's linears are added to. N counts sequences.
struct PairedInput {
  Matrix hessian;   // (2 / N) sum x x^T [width, width]
  Matrix cross;     // (2 / N) sum (x0 - x) x^T [width, width]
  Matrix residual;  // (2 / N) sum (s0 - s) x^T [hidden, width]; empty where no outputs are added to a stream
};

// Errors: calibration_not_finite.
Result<PairedInput> collect_paired(const PairedLayer& layer, LinearInput input, ForwardBuffers& buffers,
                                   ThreadPool& pool, const SequenceProgress& progress = {});

}  // namespace signum
