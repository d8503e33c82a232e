// The benchmark's random models are models: they open, generate, and their layouts are those of their names.
#include "bench/random_model.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/pool.h"
#include "bench/random_packed.h"
#include "generate/session.h"
#include "tests/opened_model.h"

using namespace signum;
using namespace signum::bench;

namespace {

const ModelShape kSmall{.hidden = 128,
                        .intermediate = 320,
                        .layers = 2,
                        .heads = 4,
                        .kv_heads = 2,
                        .vocabulary = 100,
                        .context = 64};

}  // namespace

TEST_CASE("random models of every form generate, and what they hold is of a trained model's size") {
  ThreadPool pool(2);
  for (const auto& [linears, tables] :
       std::vector<std::pair<std::string, std::string>>{{"f16", "f16"},
                                                        {"rtn4", "rtn4"},
                                                        {"signum-rc 0", "rtn8"},
                                                        {"signum-rc 0.25", "rtn4"},
                                                        {"signum-rc 1", "rtn4"},
                                                        {"billm", "f16"},
                                                        {"arb-rc + bitmap", "rtn8"},
                                                        {"fdb", "rtn4"}}) {
    CAPTURE(linears);
    const TemporaryFolder folder;
    REQUIRE(write_random_model(folder.path, kSmall, {linears, tables}, pool).ok());
    const auto model = opened(folder.path);
    CHECK(model->packed() == (linears != "f16"));
    CHECK((model->head_table().stored() == nullptr) == (tables != "f16"));
    for (const LinearInfo& linear : model->linears()) {
      const Matrix weight = model->weight(linear, pool).value();
      double power = 0;
      for (size_t k = 0; k < weight.size(); ++k) power += std::pow(double(weight.data()[k]), 2);
      const double size = std::sqrt(power / double(weight.size()) * double(linear.columns));
      CHECK(size > 0.4);
      CHECK(size < 2.5);
    }
    auto session = GenerationSession::load(model, 0, pool);
    REQUIRE(session.ok());
    const auto done =
        session.value().generate({.tokens = {1, 2, 3}, .max_tokens = 5, .sampling = {}, .stop_tokens = {}},
                                 {.token = [](size_t, uint32_t) {}, .halted = [] { return false; }}, pool);
    REQUIRE(done.ok());
    CHECK(done.value().tokens == 5);
  }
}

TEST_CASE("a form that there is not is refused") {
  ThreadPool pool(1);
  const TemporaryFolder folder;
  for (const ModelForm& form :
       {ModelForm{"rtn99", "f16"}, ModelForm{"rtn4", "billm"}, ModelForm{"f16", "rtn4"}}) {
    const Status status = write_random_model(folder.path, kSmall, form, pool);
    REQUIRE(!status.ok());
    CHECK(status.error().code == "recipe_invalid");
  }
}
