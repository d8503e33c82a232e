// The layer lab: one linear of a model after another, each quantized by as many recipes as are asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "calibrate/hessian.h"
#include "lab/hessian_store.h"
#include "lab/histogram.h"
#include "run/observer.h"
#include "run/quantize_layer.h"
#include "run/quantize_run.h"

namespace signum {

class ThreadPool;

struct LabJob {
  std::string model;
  std::optional<Calibration> calibration;  // none: no Hessians, so only methods that do without
  std::optional<std::string> hessians;     // folder that keeps them, of this model and calibration alone
  std::string folder;                      // for activations that are not kept in memory
  uint64_t activation_limit = 0;           // bytes
};

// The linear that is on the table.
struct LabLinear {
  LinearInfo info;
  Histogram weights;
  size_t tokens = 0;     // that the Hessian was summed over
  bool at_hand = false;  // no sequence had to be read for it
};

struct LabTrial {
  LinearReport report;
  Histogram quantized;                                        // in the bins of the linear's weights
  std::vector<float> levels;                                  // of the row in the middle, at most kMostLevels
  std::vector<std::pair<std::string, std::string>> warnings;  // code, message
};

inline constexpr size_t kMostLevels = 64;
inline constexpr size_t kLabFactorBytes = size_t(1) << 30;  // kept beside the last one

// Not safe from several threads. A call that ends by Interrupted (ThreadPool::interrupt_when) leaves the lab
// usable: the linear that was to come is not on the table then, and a trial has written nothing that counts.
class Lab {
 public:
  // Errors: those of Model::open, already_quantized, tokens_invalid, calibration_too_short, context_too_long.
  static Result<Lab> open(LabJob job, Observer& observer);
  const Model& model() const { return *model_; }

  // Puts a linear on the table: its weight, and the Hessian of its input with the original model's weights.
  // Layers that the activations have passed are not read again. Errors: tensor_missing (no such linear),
  // memory_short, disk_full, those of reading weights and of calibration; model_changed.
  Result<LabLinear> put(const std::string& linear, Observer& observer, ThreadPool& pool);

  // The linear on the table by one recipe {"method", "parameters"}, along the same path as in a run; its
  // correction counts as 0. Writes a packed folder with this one linear, made if it is not there. Errors:
  // recipe_invalid (also: the method needs a Hessian and there is no text), job_invalid (no linear on the
  // table), those of quantizing and of files.
  Result<LabTrial> try_recipe(const std::string& recipe, const std::string& folder, ThreadPool& pool);

 private:
  Lab() = default;
  Status make_hessians(const LinearInfo& info, Observer& observer, ThreadPool& pool);
  Status check_room() const;
  Result<const Factor*> factor(const Recipe& recipe, Observer& observer, ThreadPool& pool);

  LabJob job_;
  std::shared_ptr<const Model> model_;
  HessianStore store_{std::nullopt};
  std::vector<uint32_t> windows_;  // [sequences, length]
  std::optional<Activations> activations_;
  size_t reached_ = 0;  // the layer that the activations are inputs of
  ForwardBuffers buffers_;

  LayerHessians hessians_;  // of layer_; empty matrices: not made
  std::optional<size_t> layer_;
  std::optional<LinearInfo> linear_;  // on the table
  Matrix weight_;
  double range_ = 0;             // of its histograms
  std::optional<double> power_;  // output_power(), once a trial has asked for it
  // Of the input of the linear on the table, the one used last at the end.
  std::vector<std::pair<FactorOptions, std::unique_ptr<Factor>>> factors_;
  std::optional<std::pair<size_t, LinearInput>> factored_;
};

}  // namespace signum
