// Logits and perplexity against saved results of transformers, and against a plain F64 forward pass.
#include "evaluate/evaluate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/pool.h"
#include "calibrate/tokens.h"
#include "evaluate/logits.h"
#include "model/decoder_layer.h"
#include "tests/naive_forward.h"
#include "tests/opened_model.h"

using signum::Evaluation;
using signum::EvaluationOptions;
using signum::Matrix;
using signum::Model;
using signum::Protocol;
using signum::ThreadPool;
using signum::WindowOptions;
using Json = nlohmann::json;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

uint32_t greedy(const float* row, size_t n) { return uint32_t(std::max_element(row, row + n) - row); }

// last_logits to 1e-4 and every greedy token.
void check_golden(const std::string& folder, const std::string& golden_path) {
  CAPTURE(folder);
  const Json golden = Json::parse(read_bytes(golden_path));
  const auto model = opened(folder);
  ThreadPool pool(0);
  std::vector<uint32_t> tokens = golden["input_ids"];
  const std::vector<double> expected = golden["last_logits"];
  const std::vector<uint32_t> continuation =
      golden.contains("greedy_ids") ? golden["greedy_ids"] : golden["greedy_next_40"];
  REQUIRE(expected.size() == model->config().vocabulary);
  double largest = 0;
  const size_t prompt = tokens.size();
  for (const uint32_t next : continuation) {
    const auto logits = signum::logits(*model, tokens, pool);
    REQUIRE(logits.ok());
    const float* last = logits.value().row(tokens.size() - 1);
    if (tokens.size() == prompt)
      for (size_t i = 0; i < expected.size(); ++i)
        largest = std::max(largest, std::abs(double(last[i]) - expected[i]));
    CHECK(greedy(last, expected.size()) == next);
    tokens.push_back(next);
  }
  MESSAGE(folder << ": largest difference of the logits " << largest << ", " << continuation.size()
                 << " greedy tokens");
  CHECK(largest < 1e-4);
}

Evaluation evaluated(const Model& model, const std::vector<uint32_t>& tokens, size_t window, ThreadPool& pool,
                     const signum::ActivationLimit& limit = {}) {
  EvaluationOptions options;
  options.windows.window = window;
  options.activations = limit;
  auto result = signum::evaluate(model, nullptr, tokens, options, pool);
  REQUIRE(result.ok());
  return std::move(result).value();
}

std::vector<double> naive_losses(const TinyModel& tiny, const std::vector<uint32_t>& tokens, size_t window) {
  std::vector<double> losses;
  for (size_t start = 0; start + window <= tokens.size(); start += window) {
    const std::vector<uint32_t> part(tokens.begin() + start, tokens.begin() + start + window);
    const Rows logits = naive_logits(tiny, part);
    double loss = 0;
    for (size_t t = 0; t + 1 < window; ++t) {
      double total = 0;
      for (const double logit : logits[t]) total += std::exp(logit);
      loss += (std::log(total) - logits[t][part[t + 1]]) / double(window - 1);
    }
    losses.push_back(loss);
  }
  return losses;
}

}  // namespace

TEST_CASE("golden logits and greedy continuation") {
  check_golden(environment("SIGNUM_RESOURCES") + "/models/signum-stories-4m",
               environment("SIGNUM_TEST_DATA") + "/signum-stories-4m.json");
  check_golden(environment("SIGNUM_TEST_DATA") + "/models/llama-mix-1m",
               environment("SIGNUM_TEST_DATA") + "/llama-mix-1m.json");
  check_golden(environment("SIGNUM_TEST_DATA") + "/models/opt-tinystories-1m",
               environment("SIGNUM_TEST_DATA") + "/opt-tinystories-1m.json");
}

// SIGNUM_MORE_MODELS: a folder with models/NAME and model-golden/NAME.json.
TEST_CASE("golden logits of further models") {
  const std::string more = environment("SIGNUM_MORE_MODELS");
  if (more.empty()) {
    MESSAGE("NOT CHECKED: babyllama-361, stories260k, tinystories-656k (SIGNUM_MORE_MODELS is not set)");
    return;
  }
  for (const std::string name : {"babyllama-361", "stories260k", "tinystories-656k"})
    check_golden(more + "/models/" + name, more + "/model-golden/" + name + ".json");
}

TEST_CASE("golden perplexity of the bundled model") {
  const auto model = opened(environment("SIGNUM_RESOURCES") + "/models/signum-stories-4m");
  const auto tokens =
      signum::read_tokens(environment("SIGNUM_TEST_DATA") + "/signum-stories-4m.evaluation.u32", 2048);
  REQUIRE(tokens.ok());
  ThreadPool pool(0);
  const auto result = evaluated(*model, tokens.value(), 256, pool);
  CHECK(result.model.perplexity == doctest::Approx(30.751955464092237).epsilon(1e-4));
  CHECK(result.windows.count == 13);
  CHECK(result.windows.scored() == 13 * 255);
  MESSAGE("perplexity " << result.model.perplexity << " (transformers: 30.751955), standard error "
                        << *result.model.standard_error);
}

TEST_CASE("perplexity, window losses and standard error against F64") {
  TemporaryFolder folder, spill;
  const TinyModel tiny = random_tiny_model(61);
  const auto model = opened(tiny, folder);
  const size_t window = 40;
  const auto tokens = random_tokens(110 * window + 39, tiny.vocabulary, 62);  // two batches and a remainder
  REQUIRE(110 > signum::sequences_per_batch(window));
  const auto losses = naive_losses(tiny, tokens, window);
  double mean = 0, squares = 0;
  for (const double loss : losses) mean += loss / double(losses.size());
  for (const double loss : losses) squares += (loss - mean) * (loss - mean);
  const double error = std::exp(mean) * std::sqrt(squares / 109) / std::sqrt(110.0);

  ThreadPool two(2);
  const auto whole = evaluated(*model, tokens, window, two);
  const auto& first = whole.model;
  CHECK(whole.windows.count == 110);
  CHECK(whole.windows.window == window);
  CHECK(whole.windows.scored() == 110 * 39);
  CHECK(whole.targets.size() == 110 * 39);
  CHECK_FALSE(whole.reference);
  CHECK(first.perplexity == doctest::Approx(std::exp(mean)).epsilon(1e-5));
  CHECK(*first.standard_error == doctest::Approx(error).epsilon(1e-4));
  REQUIRE(first.window_losses.size() == 110);
  for (size_t i = 0; i < 110; ++i) CHECK(first.window_losses[i] == doctest::Approx(losses[i]).epsilon(1e-5));

  for (const size_t threads : {1, 5}) {
    ThreadPool pool(threads);
    CHECK(evaluated(*model, tokens, window, pool).model.window_losses == first.window_losses);
  }
  CHECK(evaluated(*model, tokens, window, two, {0, spill.path}).model.window_losses == first.window_losses);
  CHECK(std::filesystem::is_empty(spill.path));
}

TEST_CASE("one window has no standard error; progress counts to its total") {
  TemporaryFolder folder;
  const TinyModel tiny = random_tiny_model(63);
  const auto model = opened(tiny, folder);
  const auto tokens = random_tokens(159, tiny.vocabulary, 64);
  ThreadPool pool(2);
  EvaluationOptions options;
  options.windows.window = 80;
  size_t last = 0, total = 0;
  options.progress = [&](size_t done, size_t of) {
    CHECK(done == last + 1);
    last = done;
    total = of;
  };
  const auto result = signum::evaluate(*model, nullptr, tokens, options, pool);
  REQUIRE(result.ok());
  const signum::Perplexity& found = result.value().model;
  CHECK(result.value().windows.count == 1);
  CHECK_FALSE(found.standard_error);
  CHECK(total == 3);
  CHECK(last == 3);
  CHECK(found.window_losses[0] == doctest::Approx(naive_losses(tiny, tokens, 80)[0]).epsilon(1e-5));
}

TEST_CASE("evaluations that cannot be done") {
  TemporaryFolder folder;
  const auto model = opened(random_tiny_model(65), folder);
  ThreadPool pool(1);
  const auto refused = [&](const WindowOptions& windows, const std::vector<uint32_t>& tokens,
                           const char* code, const char* message) {
    EvaluationOptions options;
    options.windows = windows;
    const auto result = signum::evaluate(*model, nullptr, tokens, options, pool);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == code);
    CHECK(result.error().message == message);
  };
  const auto tokens = random_tokens(300, 37, 66);
  auto outside = tokens;
  outside[299] = 37;
  const auto papers = [](size_t window) { return WindowOptions{.window = window, .bos = {}}; };
  const auto llama = [](size_t window, uint32_t bos) {
    return WindowOptions{.protocol = Protocol::LlamaCpp, .window = window, .bos = bos};
  };
  refused(papers(1), tokens, "job_invalid", "A window must have at least 2 tokens.");
  refused(llama(2, 0), tokens, "job_invalid", "A window must have at least 3 tokens.");
  refused({.window = 2, .bos = 1}, tokens, "job_invalid", "The protocol `papers` puts no BOS in.");
  refused(papers(161), tokens, "context_too_long",
          "Windows of 161 tokens are longer than the model's 160 positions.");
  refused(papers(160), {tokens.begin(), tokens.begin() + 159}, "evaluation_too_short",
          "The evaluation text has 159 tokens, but one window needs 160.");
  refused(llama(151, 0), tokens, "evaluation_too_short",
          "The evaluation text has 300 tokens, but two windows need 302.");
  refused(papers(160), outside, "tokens_invalid",
          "The token id 37 at place 299 is outside the vocabulary of 37.");
  refused(llama(100, 37), tokens, "tokens_invalid",
          "The token id 37 at place 0 is outside the vocabulary of 37.");

  CHECK(signum::logits(*model, tokens, pool).error().code == "context_too_long");
  CHECK(signum::logits(*model, tokens, pool).error().message ==
        "300 tokens are more than the model's 160 positions.");
  CHECK(signum::logits(*model, {}, pool).error().code == "tokens_invalid");
  const uint32_t one[] = {37};
  CHECK(signum::logits(*model, one, pool).error().code == "tokens_invalid");
}

TEST_CASE("a model that overflows has a perplexity that is no number, not an error") {
  TemporaryFolder folder;
  TinyModel tiny = random_tiny_model(67);
  for (float& value : tiny.tensors.at("model.layers.0.mlp.up_proj.weight").values)
    value = value > 0 ? 3e38f : -3e38f;
  const auto model = opened(tiny, folder);
  ThreadPool pool(1);
  const auto result = evaluated(*model, random_tokens(80, 37, 68), 40, pool);
  CHECK_FALSE(std::isfinite(result.model.perplexity));
}
