// The reference results of the published programs (tests/data/golden) and the recipes that they were made
// with.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/pool.h"
#include "file/safetensors.h"
#include "methods/quantize.h"

namespace signum::golden {

inline constexpr const char* kLayers[] = {"layer-40x128", "layer-64x288-dead", "layer-96x320"};

inline std::shared_ptr<SafetensorsFile> open_layer(const std::string& name) {
  const char* data = std::getenv("SIGNUM_TEST_DATA");
  REQUIRE_MESSAGE(data, "SIGNUM_TEST_DATA is not set: run through ctest");
  auto file = SafetensorsFile::open(std::string(data) + "/golden/" + name + ".safetensors");
  REQUIRE(file.ok());
  return file.value();
}

inline Matrix matrix(const SafetensorsFile& file, const std::string& name) {
  const TensorView* view = file.find(name);
  REQUIRE_MESSAGE(view, name);
  Matrix m(view->shape[0], view->shape[1]);
  std::memcpy(m.data(), view->bytes.data(), m.size() * sizeof(float));
  return m;
}

struct Case {
  std::string key;
  Recipe recipe;
};

inline Recipe base(Method method) {
  Recipe recipe;
  recipe.method = method;
  recipe.scale_type = DType::F32;
  return recipe;
}

inline std::vector<Case> exact_cases() {
  std::vector<Case> cases;
  for (const int bits : {1, 2, 4}) {
    Recipe recipe = base(Method::Rtn);
    recipe.bits = bits;
    cases.push_back({"rtn.b" + std::to_string(bits), recipe});
  }
  for (const Salience salience : {Salience::Hessian, Salience::Magnitude}) {
    Recipe recipe = base(Method::BiLLM);
    recipe.salience = salience;
    cases.push_back({salience == Salience::Hessian ? "billm.hessian" : "billm.magnitude", recipe});
  }
  const std::pair<const char*, Method> arb[] = {
      {"arb", Method::Arb}, {"arb_x", Method::ArbX}, {"arb_rc", Method::ArbRc}};
  for (const auto& [name, method] : arb)
    for (const bool bitmap : {false, true}) {
      Recipe recipe = base(method);
      recipe.column_group_bitmap = bitmap;
      cases.push_back({name + std::string(bitmap ? ".cgb" : ".plain"), recipe});
    }
  return cases;
}

inline std::vector<Case> gptq_cases() {
  std::vector<Case> cases;
  const auto add = [&](const char* key, int bits, long group, bool descending) {
    Recipe recipe = base(Method::Gptq);
    recipe.bits = bits;
    recipe.group = group;
    recipe.descending_order = descending;
    cases.push_back({key, recipe});
  };
  add("gptq.b2.g128", 2, 128, false);
  add("gptq.b3.g128", 3, 128, false);
  add("gptq.b4.g-1", 4, -1, false);
  add("gptq.b4.g-1.act", 4, -1, true);
  return cases;
}

inline std::vector<Case> pb_llm_cases() {
  std::vector<Case> cases;
  const auto add = [&](const char* key, double share, Salience salience, long group) {
    Recipe recipe = base(Method::PbLlm);
    recipe.salient_share = share;
    recipe.salience = salience;
    recipe.group = group;
    recipe.bits = 8;
    cases.push_back({key, recipe});
  };
  add("pb_llm.low90.hessian.g-1", 0.1, Salience::Hessian, -1);
  add("pb_llm.low90.magnitude.g-1", 0.1, Salience::Magnitude, -1);
  add("pb_llm.low90.hessian.g128", 0.1, Salience::Hessian, 128);
  add("pb_llm.low70.hessian.g128", 0.3, Salience::Hessian, 128);
  return cases;
}

inline std::vector<Case> signum_cases() {
  std::vector<Case> cases;
  for (const int percent : {0, 25, 100}) {
    Recipe recipe = base(Method::SignumRc);
    recipe.second_plane = percent / 100.0;
    recipe.descending_order = true;
    cases.push_back({"signum_rc.second" + std::to_string(percent), recipe});
  }
  return cases;
}

struct Outcome {
  double worst;         // max |difference| / max |W|
  size_t rows_outside;  // rows with a difference above 2e-5 max |W|
  LinearErrors ours, golden;
};

// quantized(recipe, weight, hessian): the packed linear.
template <class Quantized>
Outcome compare(const SafetensorsFile& file, const Case& c, const Quantized& quantized) {
  ThreadPool pool(2);
  const Matrix weight = matrix(file, "weight"), hessian = matrix(file, "hessian"),
               expected = matrix(file, "q." + c.key);
  auto decoded = decode(quantized(c.recipe, weight, hessian), pool);
  REQUIRE(decoded.ok());
  float largest = 0;
  for (size_t i = 0; i < weight.size(); ++i) largest = std::max(largest, std::fabs(weight.data()[i]));
  Outcome outcome{0, 0, linear_errors(weight, decoded.value(), &hessian, pool),
                  linear_errors(weight, expected, &hessian, pool)};
  for (size_t r = 0; r < weight.rows(); ++r) {
    double worst = 0;
    for (size_t j = 0; j < weight.columns(); ++j)
      worst = std::max(worst, double(std::fabs(decoded.value()(r, j) - expected(r, j)) / largest));
    outcome.worst = std::max(outcome.worst, worst);
    outcome.rows_outside += worst > 2e-5;
  }
  const std::string text =
      std::string(c.key) + " " + std::to_string(weight.rows()) + "x" + std::to_string(weight.columns()) +
      ": worst " + std::to_string(outcome.worst) + ", rows outside " + std::to_string(outcome.rows_outside) +
      ", output error " + std::to_string(outcome.ours.output) + " / " + std::to_string(outcome.golden.output);
  MESSAGE(text);
  return outcome;
}

}  // namespace signum::golden
