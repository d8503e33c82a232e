// Every method against the reference results of the published programs (tests/data/golden; tolerances of
// docs/METHODS.md).
#include <doctest/doctest.h>

#include "base/pool.h"
#include "tests/golden_cases.h"

using namespace signum;
using namespace signum::golden;

namespace {

Outcome compare(const SafetensorsFile& file, const Case& c) {
  return compare(file, c, [](const Recipe& recipe, const Matrix& weight, const Matrix& hessian) {
    ThreadPool pool(2);
    auto factor = factorize(hessian, factor_options(recipe), pool);
    REQUIRE(factor.ok());
    auto linear = quantize(recipe, weight.clone(), &factor.value(), pool);
    REQUIRE(linear.ok());
    return std::move(linear).value();
  });
}

}  // namespace

TEST_CASE("rtn, billm and arb equal the golden weights") {
  for (const char* layer : kLayers) {
    const auto file = open_layer(layer);
    for (const Case& c : exact_cases()) {
      CAPTURE(layer);
      CAPTURE(c.key);
      CHECK(compare(*file, c).worst <= 2e-5);
    }
  }
}

TEST_CASE("gptq and pb-llm equal the golden weights but for rounding ties") {
  std::vector<Case> cases = gptq_cases();
  for (Case& c : pb_llm_cases()) cases.push_back(std::move(c));
  for (const char* layer : kLayers) {
    const auto file = open_layer(layer);
    for (const Case& c : cases) {
      CAPTURE(layer);
      CAPTURE(c.key);
      const Outcome outcome = compare(*file, c);
      const size_t rows = file->find("weight")->shape[0];
      CHECK(outcome.rows_outside <= std::max<size_t>(1, rows / 50));
      CHECK(std::fabs(outcome.ours.output / outcome.golden.output - 1) <= 1e-3);
    }
  }
}

TEST_CASE("signum-rc's output error is at most 1 % above the golden one") {
  for (const char* layer : kLayers) {
    const auto file = open_layer(layer);
    for (const Case& c : signum_cases()) {
      CAPTURE(layer);
      CAPTURE(c.key);
      const Outcome outcome = compare(*file, c);
      CHECK(outcome.ours.output <= 1.01 * outcome.golden.output);
      CHECK(outcome.ours.output > 0);
    }
  }
}
