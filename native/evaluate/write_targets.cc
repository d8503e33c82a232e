#include <algorithm>
#include <string>

#include "evaluate/evaluate.h"
#include "file/safetensors.h"

namespace signum {

Status write_targets(const std::string& path, const Evaluation& evaluation, const WindowOptions& options) {
  const EvaluationWindows& windows = evaluation.windows;
  const std::vector<size_t> shape = {windows.count, windows.targets};
  std::vector<std::vector<float>> columns;
  std::vector<TensorToWrite> tensors;
  const auto add = [&](const char* name, double Target::*value) {
    std::vector<float>& column = columns.emplace_back(evaluation.targets.size());
    std::ranges::transform(evaluation.targets, column.begin(),
                           [&](const Target& target) { return float(target.*value); });
    tensors.push_back({name,
                       DType::F32,
                       shape,
                       {reinterpret_cast<const uint8_t*>(column.data()), column.size() * sizeof(float)}});
  };
  tensors.push_back(
      {"tokens",
       DType::U32,
       {windows.count, windows.window},
       {reinterpret_cast<const uint8_t*>(windows.ids.data()), windows.ids.size() * sizeof(uint32_t)}});
  add("losses", &Target::loss);
  std::vector<uint8_t> same_top;
  if (evaluation.reference) {
    add("reference_losses", &Target::reference_loss);
    add("kld", &Target::kld);
    for (const Target& target : evaluation.targets) same_top.push_back(target.same_top);
    tensors.push_back({"same_top", DType::U8, shape, same_top});
  }
  return write_safetensors(path, tensors,
                           {{"signum_evaluation", "1"},
                            {"protocol", kProtocolNames[size_t(options.protocol)]},
                            {"first", std::to_string(windows.first)},
                            {"bos", options.bos ? std::to_string(*options.bos) : "none"}},
                           false);
}

}  // namespace signum
