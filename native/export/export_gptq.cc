#include "export/export_gptq.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "export/gptq_plan.h"
#include "export/weight_tensors.h"

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
std::span<const uint8_t> as_bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)};
}

// `make` gives all numbers of the tensor; they come back as they were made.
template <class Make>
FolderTensor made(const std::string& name, DType type, std::vector<size_t> shape, const std::string& counted,
                  Make make) {
  return {.stored = {name, type, std::move(shape),
                     [make](const ByteSink& sink) { return sink(as_bytes(make())); }},
          .type = counted,
          .verify = [make](const TensorView& read, const FindTensor&, const Done& done,
                           RoundingError&) -> Status {
            if (!std::ranges::equal(read.bytes, as_bytes(make()))) return differs(read.name);
            return done(read.bytes.size());
          }};
}

// The weights that the four tensors of a linear stand for, and those of the model: equal in every bit.
Status compare_weights(const Model& model, const LinearInfo& linear, const GptqForm& form,
                       const FindTensor& find, ThreadPool& pool, RoundingError& error) {
  const auto part = [&](const char* role) -> const TensorView& { return *find(linear.name + "." + role); };
  SIGNUM_TAKE(const Matrix read,
              decode_gptq(part("qweight"), part("qzeros"), part("scales"), part("g_idx"), form, pool));
  SIGNUM_TAKE(const Matrix meant, model.weight(linear, pool));
  const auto bytes = [](const Matrix& matrix) {
    return std::span(reinterpret_cast<const uint8_t*>(matrix.data()), matrix.size() * sizeof(float));
  };
  if (!std::ranges::equal(bytes(read), bytes(meant))) return differs(linear.name);
  error.add(meant.data(), read.data(), meant.size());
  return {};
}

// A linear's tensors; model, plan and pool live as long as they do. The first is held against the model too.
void add_linear(const Model& model, const LinearInfo& info, const GptqPlan& plan, ThreadPool& pool,
                std::vector<FolderTensor>& tensors) {
  const PackedView& linear = plan.linears.at(info.name);
  const GptqForm& form = plan.form;
  const size_t m = info.rows, n = info.columns, bits = size_t(form.bits);
  const size_t groups = (n + linear.layout.group - 1) / linear.layout.group;
  const auto add = [&](const char* role, DType type, std::vector<size_t> shape, auto make) {
    tensors.push_back(
        made(info.name + "." + role, type, std::move(shape), "GPTQ " + std::to_string(bits) + " bits", make));
  };
  add("qweight", DType::I32, {n * bits / 32, m}, [&linear, &pool] { return gptq_qweight(linear, pool); });
  auto& verify = tensors.back().verify;
  verify = [&model, &info, &form, &pool, bytes_equal = verify](const TensorView& read, const FindTensor& find,
                                                               const Done& done,
                                                               RoundingError& error) -> Status {
    SIGNUM_TRY(bytes_equal(read, find, done, error));
    return compare_weights(model, info, form, find, pool, error);
  };
  add("qzeros", DType::I32, {groups, m * bits / 32}, [&linear, &form] { return gptq_qzeros(linear, form); });
  add("scales", DType::F16, {groups, m}, [&linear] { return gptq_scales(linear); });
  add("g_idx", DType::I32, {n}, [&linear] { return gptq_g_idx(linear); });
}

// config.json as it is, and what tells a reader of the codes.
Result<std::string> with_quantization(const std::string& text, const Json& quantization) {
  Json config = Json::parse(text, nullptr, false);
  if (!config.is_object()) return Error{"config_invalid", "config.json must hold one JSON object.", ""};
  bool said = false;
  for (const char* key : {"torch_dtype", "dtype"})
    if (config.contains(key)) {
      config[key] = "float16";
      said = true;
    }
  if (!said) config["torch_dtype"] = "float16";
  config["quantization_config"] = quantization;
  return config.dump(2) + "\n";
}

}  // namespace

Result<ExportOutcome> export_gptq(const Model& model, const std::string& output, const GptqOptions& options,
                                  const ExportProgress& progress, ThreadPool& pool) {
  SIGNUM_TAKE(const GptqPlan plan, plan_gptq(model, pool));
  SIGNUM_TAKE(auto texts, files_of(model));
  const Json quantization = plan.quantization_config();
  SIGNUM_TAKE(texts["config.json"], with_quantization(texts.at("config.json"), quantization));
  texts["quantize_config.json"] = quantization.dump(2) + "\n";
  std::vector<FolderTensor> tensors;
  for (const WeightTensor& tensor : weight_tensors(model, pool)) {
    if (tensor.linear && plan.linears.contains(tensor.linear->name))
      add_linear(model, *tensor.linear, plan, pool, tensors);
    else
      tensors.push_back(stored_as(tensor, DType::F16));
  }
  SIGNUM_TAKE(ExportOutcome outcome,
              write_model_folder(model, output, std::move(tensors), options.shard_bytes, texts, progress));
  outcome.notes = plan.notes;
  return outcome;
}

}  // namespace signum
