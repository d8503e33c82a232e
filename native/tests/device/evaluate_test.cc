// Evaluation on the card against the CPU's: both protocols, a reference beside, packed models.
#include "cuda/model/evaluate.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>

#include "base/pool.h"
#include "cuda/math/library_products.h"
#include "cuda/model/device_layer.h"
#include "cuda/model/statistics.h"
#include "evaluate/comparison.h"
#include "evaluate/logits.h"
#include "model/row_operations.h"
#include "on_card.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/tiny_families.h"

using namespace signum;

namespace {

// The same on both; the card's comes back.
Evaluation check_evaluation(const Model& model, const Model* reference, const std::vector<uint32_t>& tokens,
                            const EvaluationOptions& options) {
  ThreadPool pool(2);
  EvaluationOptions quiet = options;
  quiet.progress = {};
  const auto expected = evaluate(model, reference, tokens, quiet, pool);
  REQUIRE(expected.ok());
  auto got = cuda::evaluate(test_card(), model, reference, tokens, options, pool);
  REQUIRE_MESSAGE(got.ok(), got.error().message);
  const Evaluation &a = got.value(), &b = expected.value();
  CHECK(a.model.perplexity == doctest::Approx(b.model.perplexity).epsilon(1e-5));
  REQUIRE(a.model.standard_error.has_value() == b.model.standard_error.has_value());
  if (a.model.standard_error)
    CHECK(*a.model.standard_error == doctest::Approx(*b.model.standard_error).epsilon(1e-4));
  REQUIRE(a.targets.size() == b.targets.size());
  for (size_t i = 0; i < a.targets.size(); ++i)
    CHECK(std::abs(a.targets[i].loss - b.targets[i].loss) < 1e-4 * (1 + std::abs(b.targets[i].loss)));
  REQUIRE(a.reference.has_value() == b.reference.has_value());
  if (a.reference) {
    const Comparison &x = a.reference->comparison, &y = b.reference->comparison;
    CHECK(a.reference->model.perplexity == doctest::Approx(b.reference->model.perplexity).epsilon(1e-5));
    CHECK(x.kld.mean.value == doctest::Approx(y.kld.mean.value).epsilon(1e-4).scale(0.01));
    CHECK(x.log_ratio.value == doctest::Approx(y.log_ratio.value).epsilon(1e-4).scale(0.01));
    CHECK(x.delta_p_rms.value == doctest::Approx(y.delta_p_rms.value).epsilon(1e-4).scale(0.01));
    CHECK(std::abs(x.same_top.value - y.same_top.value) <= 1.5 / double(a.targets.size()));
    CHECK(x.correlation == doctest::Approx(y.correlation).epsilon(1e-4));
  }
  return std::move(got).value();
}

}  // namespace

TEST_CASE("what is measured at a target is the CPU's") {
  const size_t rows = 9, vocabulary = 1000;
  Matrix logits = random_matrix(rows, vocabulary, 1, 5), base = logits.clone();
  for (size_t i = 0; i < base.size(); ++i) base.data()[i] += i % 3 == 0 ? 0.5f : -0.1f;
  logits(0, 999) = 1e4f;                            // all of the mass
  base(1, 17) = base(1, 400) = logits(1, 17) = 60;  // equals: the first counts
  logits(1, 400) = 60;
  base(2, 400) = 70, logits(2, 17) = 70;  // others
  logits(3, 5) = std::numeric_limits<float>::quiet_NaN();
  base(4, 5) = -std::numeric_limits<float>::infinity();
  for (size_t j = 0; j < vocabulary; ++j) logits(5, j) = base(5, j) = 2;
  std::vector<uint32_t> targets = {999, 17, 400, 5, 6, 0, 1, 2, 3};
  in_both_orders([&] {
    const auto logits_there = on_card(logits), base_there = on_card(base);
    cuda::Array<uint32_t> targets_there(test_device(), rows, "a test");
    targets_there.upload(targets);
    cuda::Array<cuda::TargetOnCard> out(test_device(), rows, "a test");
    const auto close = [](double a, double b) {
      return std::isnan(a) ? std::isnan(b) : std::abs(a - b) <= 1e-6 * (1 + std::abs(b));
    };
    compare_targets(test_device(), logits_there.view(), base_there.view(), targets_there.data(), out.data());
    const auto compared = out.download();
    losses(test_device(), logits_there.view(), targets_there.data(), out.data());
    const auto alone = out.download();
    for (size_t i = 0; i < rows; ++i) {
      CAPTURE(i);
      const Target expected = compare_target(logits.row(i), base.row(i), vocabulary, targets[i]);
      CHECK(close(compared[i].loss, expected.loss));
      CHECK(close(compared[i].reference_loss, expected.reference_loss));
      CHECK(close(compared[i].kld, expected.kld));
      if (i != 3 && i != 4) CHECK(bool(compared[i].same_top) == expected.same_top);
      CHECK(close(alone[i].loss, expected.loss));
    }
  });
}

TEST_CASE("perplexity by both protocols, alone and beside a reference") {
  for (const TinyFamily& family : {tiny_qwen3(), tiny_gemma2(), tiny_opt(false, true, 25)}) {
    CAPTURE(family.name);
    TemporaryFolder folder;
    const auto reference = opened(family.model, folder / "a");
    TinyModel noisy = family.model;
    std::mt19937 source(3);
    for (auto& [name, tensor] : noisy.tensors)
      for (float& value : tensor.values) value += 0.03f * (float(source()) / 2147483648.0f - 1.0f);
    const auto model = opened(noisy, folder / "b");
    const auto tokens = random_tokens(215, family.model.vocabulary, 4);
    EvaluationOptions options;
    options.windows.window = 70;
    size_t last = 0, total = 0;
    options.progress = [&](size_t done, size_t of) {
      CHECK(done == last + 1);
      last = done;
      total = of;
    };
    const Evaluation alone = check_evaluation(*model, nullptr, tokens, options);
    CHECK(alone.windows.count == 3);
    CHECK(last == total);
    CHECK(total == model->config().layers + 1);
    options.progress = {};
    options.windows = {.protocol = Protocol::LlamaCpp, .window = 64, .bos = 1};
    const Evaluation both = check_evaluation(*model, reference.get(), tokens, options);
    CHECK(both.reference->comparison.kld.mean.value > 1e-4);
  }
}

TEST_CASE("logits in many blocks measure what those in one do") {
  TemporaryFolder folder;
  const TinyModel tiny = random_tiny_model(7);
  const auto model = opened(tiny, folder / "a"), reference = opened(random_tiny_model(8), folder / "b");
  const auto tokens = random_tokens(3 * 50, tiny.vocabulary, 4);
  EvaluationOptions options;
  options.windows.window = 50;
  ThreadPool pool(2);
  for (const Model* beside : {static_cast<const Model*>(nullptr), reference.get()}) {
    const size_t models = beside ? 2 : 1;
    cuda::DeviceEvaluation one(test_card(), models, options, pool);
    cuda::DeviceEvaluation many(test_card(), models, options, pool, 17 * tiny.vocabulary * sizeof(float));
    const auto a = evaluate(*model, beside, tokens, options, one);
    const auto b = evaluate(*model, beside, tokens, options, many);
    REQUIRE(a.ok());
    REQUIRE(b.ok());
    REQUIRE(b.value().targets.size() == a.value().targets.size());
    for (size_t i = 0; i < a.value().targets.size(); ++i) {
      CHECK(b.value().targets[i].loss == doctest::Approx(a.value().targets[i].loss).epsilon(1e-5));
      CHECK(b.value().targets[i].kld == doctest::Approx(a.value().targets[i].kld).epsilon(1e-5));
    }
    for (size_t i = 0; i < models; ++i) CHECK(many.seconds(i) > 0);
  }
}

TEST_CASE("the bundled model of 16 bits: perplexity and logits") {
  const char* data = std::getenv("SIGNUM_TEST_DATA");
  REQUIRE(data);
  const auto model = opened(std::string(data) + "/models/llama-mix-1m");
  const auto tokens = random_tokens(2 * 24, model->config().vocabulary, 7);
  EvaluationOptions options;
  options.windows.window = 24;
  check_evaluation(*model, nullptr, tokens, options);
  ThreadPool pool(2);
  const auto expected = logits(*model, std::span(tokens).first(20), pool);
  const auto got = cuda::logits(test_card(), *model, std::span(tokens).first(20), pool);
  REQUIRE(expected.ok());
  REQUIRE(got.ok());
  CHECK(apart(got.value(), expected.value()) < 1e-4);
}

TEST_CASE("packed models, their linears and their tables") {
  const char* recipes[] = {"rtn", "gptq", "billm", "pb-llm", "arb-rc", "fdb", "signum-rc"};
  for (const char* method : recipes) {
    CAPTURE(method);
    TinyRun tiny(2);
    RecordingObserver observer;
    auto job = tiny.job(method);
    const bool tables = std::string(method) == "rtn" || std::string(method) == "signum-rc";
    if (tables) job.recipe.replace(0, 1, R"({"embedding_type":"rtn8","head_type":"rtn4",)");
    const auto outcome = run_to_end(job, observer);
    const auto packed = opened(outcome.packed), original = opened(tiny.source());
    REQUIRE(packed->packed());
    CHECK((packed->head_table().stored() == nullptr) == tables);
    ThreadPool pool(2);
    const auto linears = packed->linears_of(1);
    const auto layer = cuda::DeviceLayer::load(test_card(), *packed, 1, pool);
    for (size_t i = 0; i < linears.size(); ++i) {
      const auto expected = packed->weight(linears[i], pool);
      REQUIRE(expected.ok());
      CHECK(apart(from_card(layer.weight(test_card(), i)), expected.value()) == 0);
    }
    EvaluationOptions options;
    options.windows.window = 40;
    check_evaluation(*packed, original.get(), random_tokens(80, 61, 9), options);
  }
}

TEST_CASE("too little room on the card is an error that says so") {
  TemporaryFolder folder;
  const auto model = opened(random_tiny_model(5), folder);
  const auto small = cuda::Device::open("cuda", {.memory_limit = 20000, .libraries = {}});
  REQUIRE(small.ok());
  cuda::Blas blas(*small.value(), cuda::Precision::F32, nullptr);  // a library's workspace has no room there
  ThreadPool pool(1);
  EvaluationOptions options;
  options.windows.window = 40;
  const auto result = cuda::evaluate({*small.value(), blas}, *model, nullptr,
                                     random_tokens(80, model->config().vocabulary, 6), options, pool);
  REQUIRE(!result.ok());
  CHECK(result.error().code == "device_memory_short");
  CHECK(small.value()->used_bytes() == 0);
}

TEST_CASE("evaluations that cannot be done are refused as on the CPU") {
  TemporaryFolder folder;
  const auto model = opened(random_tiny_model(6), folder);
  ThreadPool pool(1);
  EvaluationOptions options;
  options.windows.window = 161;
  const auto tokens = random_tokens(400, model->config().vocabulary, 6);
  CHECK(cuda::evaluate(test_card(), *model, nullptr, tokens, options, pool).error().code ==
        "context_too_long");
  CHECK(cuda::logits(test_card(), *model, tokens, pool).error().code == "context_too_long");
  CHECK(cuda::logits(test_card(), *model, {}, pool).error().code == "tokens_invalid");
}
