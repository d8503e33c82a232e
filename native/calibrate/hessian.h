// Hessians of a decoder layer's linear inputs, and moving the activations past the layer.
#pragma once

#include <array>
#include <functional>

#include "base/error.h"
#include "base/matrix.h"
#include "model/activations.h"
#include "model/decoder_layer.h"

namespace signum {

class ThreadPool;

// done of total sequences.
using SequenceProgress = std::function<void(size_t done, size_t total)>;

// By LinearInput: H = (2 / N) * sum over all tokens x x^T [width, width], symmetric, undamped; N counts
// sequences (docs/METHODS.md). The papers' running mean (H *= N/(N+b), ...) gives the same matrix; here the
// plain sum is kept in F32 and scaled once at the end. ARB-X's S (mean over sequences of X^T X) is H / 2.
struct LayerHessians {
  std::array<Matrix, kLinearInputs> by_input;

  const Matrix& of(LinearInput input) const { return by_input[size_t(input)]; }
  Matrix& of(LinearInput input) { return by_input[size_t(input)]; }
};

// Runs every sequence through the layer as it is (original weights) up to its last linear input; activations
// stay unchanged. Error calibration_not_finite: NaN or infinity in an input, layer and linears named.
Result<LayerHessians> collect_hessians(const DecoderLayer& layer, const Activations& inputs,
                                       ForwardBuffers& buffers, ThreadPool& pool,
                                       const SequenceProgress& progress = {});

// The error calibration_not_finite for an input of this layer, and for its output.
Error input_not_finite(const ModelConfig& config, size_t layer, LinearInput input);
Error output_not_finite(size_t layer);

// Replaces the activations by the layer's outputs (its weights as they are now). Error:
// calibration_not_finite.
Status advance(const DecoderLayer& layer, Activations& activations, ForwardBuffers& buffers, ThreadPool& pool,
               const SequenceProgress& progress = {});

}  // namespace signum
