// A model measured on a text, alone or beside the reference that it was made from.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "evaluate/comparison.h"
#include "evaluate/perplexity.h"
#include "evaluate/windows.h"
#include "model/activations.h"
#include "model/decoder_layer.h"
#include "model/model.h"

namespace signum {

class EvaluationCompute;
class ThreadPool;

struct EvaluationOptions {
  WindowOptions windows;
  ActivationLimit activations;  // of each model
  // What is multiplied by: the weights where they are mapped or, as a check, as F32 matrices.
  WeightForm form = WeightForm::Mapped;
  // done of total steps: one per model, decoder layer and batch of windows, then one per batch at the head.
  std::function<void(size_t done, size_t total)> progress;
};

struct Evaluation {
  EvaluationWindows windows;
  Perplexity model;
  double seconds = 0;           // of the model alone: its weights, layers and head
  std::vector<Target> targets;  // [windows, targets]; without a reference only `loss` is filled
  struct Reference {
    Perplexity model;
    double seconds = 0;
    Comparison comparison;
  };
  std::optional<Reference> reference;
};

// Layer by layer over all windows, so that every weight is read or decoded once. Of the logits only those of
// one block of rows exist at a time, of both models. reference null: only the model.
// Errors: those of evaluation_windows, also for the reference; reference_mismatch (another vocabulary); those
// of Activations and of reading weights.
Result<Evaluation> evaluate(const Model& model, const Model* reference, std::span<const uint32_t> tokens,
                            const EvaluationOptions& options, ThreadPool& pool);
// The same where the numbers are made elsewhere (evaluation_compute.h), with its errors; options say what
// concerns windows and progress.
Result<Evaluation> evaluate(const Model& model, const Model* reference, std::span<const uint32_t> tokens,
                            const EvaluationOptions& options, EvaluationCompute& compute);

// What was measured at every target, as a safetensors file (docs/PROTOCOL.md). Error: write_failed.
Status write_targets(const std::string& path, const Evaluation& evaluation, const WindowOptions& options);

}  // namespace signum
