// Whether a packed model has a GPTQ form, and which.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "export/gptq_linear.h"
#include "model/model.h"

namespace signum {

struct GptqPlan {
  GptqForm form;
  size_t group = 0;                           // inputs; 0: whole rows
  bool act_order = false;                     // a linear has an order
  bool symmetric = true;                      // of all
  std::map<std::string, PackedView> linears;  // by name; valid as long as the model is
  std::vector<std::string> kept;              // linears that are stored as matrices
  std::vector<std::string> notes;             // what some programs that read the format ask for

  // As it stands in config.json and in quantize_config.json.
  nlohmann::ordered_json quantization_config() const;
};

// Error export_unsupported: says what of the model does not fit. Those of Model::packed_view.
Result<GptqPlan> plan_gptq(const Model& model, ThreadPool& pool);

}  // namespace signum
