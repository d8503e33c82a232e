#include "run/fingerprint.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "file/sha256.h"
#include "math/linear_algebra.h"

namespace signum {
namespace {

using Json = nlohmann::json;

// Keys whose values differ, one level down; parameters of a recipe two levels.
void differing_keys(const Json& before, const Json& now, std::string& out) {
  if (!before.is_object() || !now.is_object()) {
    if (before != now) out += (out.empty() ? "" : ", ") + std::string("given or not");
    return;
  }
  Json keys = before;
  keys.update(now);
  for (const auto& [key, unused] : keys.items()) {
    const Json left = before.value(key, Json()), right = now.value(key, Json());
    if (left == right) continue;
    if (key == "parameters")
      differing_keys(left, right, out);
    else
      out += (out.empty() ? "" : ", ") + key;
  }
}

}  // namespace

const char* program_name() { return "signum " SIGNUM_VERSION; }

Result<Fingerprint> fingerprint_of_program(const std::string& recipe_json) {
  const Json recipe = Json::parse(recipe_json, nullptr, false);
  if (!recipe.is_object()) return Error{"recipe_invalid", "The recipe is not a JSON object.", ""};
  return Fingerprint{.source = "{}",
                     .recipe = recipe.dump(),
                     .calibration = "null",
                     .program = program_name(),
                     .blas = blas_core_name(),
                     .simd = simd_target_name(),
                     .device = "cpu"};
}

Result<std::string> source_json(const std::string& folder, const std::vector<std::string>& names,
                                Progress& progress) {
  namespace fs = std::filesystem;
  uint64_t total = 0, done = 0;
  for (const std::string& name : names) {
    std::error_code failed;
    const auto bytes = fs::file_size(fs::path(folder) / name, failed);
    if (!failed) total += bytes;
  }
  progress.begin(Phase::Hash, total, "bytes");
  Json hashes = Json::object();
  for (const std::string& name : names) {
    SIGNUM_TAKE(hashes[name], sha256_file((fs::path(folder) / name).string(), [&](uint64_t bytes) {
                  progress.done(done += bytes);
                  return progress.check();
                }));
  }
  progress.end();
  return hashes.dump();
}

std::string calibration_json(const std::vector<uint32_t>& tokens, const CalibrationPlan& plan) {
  const Json json = {{"sha256", sha256_hex({reinterpret_cast<const uint8_t*>(tokens.data()),
                                            tokens.size() * sizeof(uint32_t)})},
                     {"tokens", tokens.size()},
                     {"sampling", kSamplingNames[size_t(plan.sampling)]},
                     {"sequences", plan.sequences},
                     {"length", plan.length},
                     {"seed", plan.seed}};
  return json.dump();
}

std::string difference(const Fingerprint& before, const Fingerprint& now) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  const auto compare_json = [&](const char* what, const std::string& left, const std::string& right) {
    if (left == right) return;
    std::string keys;
    differing_keys(Json::parse(left, nullptr, false), Json::parse(right, nullptr, false), keys);
    add(std::string(what) + ": " + keys);
  };
  const auto compare_text = [&](const char* what, const std::string& left, const std::string& right) {
    if (left != right) add(std::string(what) + ": was " + left + ", is " + right);
  };
  compare_json("source", before.source, now.source);
  compare_json("recipe", before.recipe, now.recipe);
  compare_json("calibration", before.calibration, now.calibration);
  compare_text("program", before.program, now.program);
  compare_text("BLAS kernels", before.blas, now.blas);
  compare_text("SIMD target", before.simd, now.simd);
  compare_text("device", before.device, now.device);
  return text;
}

}  // namespace signum
