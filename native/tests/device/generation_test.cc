// Generation on the card against the CPU's: the same tokens, and logits that agree.
#include "cuda/model/generation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include "both_orders.h"
#include "device.h"
#include "generate/cached_model.h"
#include "generate/session.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/tiny_families.h"

using namespace signum;

namespace {

using Tokens = std::vector<uint32_t>;
const Tokens kPrompt = {3, 1, 4, 1, 5, 9, 2, 6};

Tokens answer(GenerationSession& session, const GenerationRequest& request, ThreadPool& pool) {
  Tokens out;
  const auto result = session.generate(
      request,
      {.token = [&](size_t, uint32_t token) { out.push_back(token); }, .halted = [] { return false; }}, pool);
  if (!result.ok()) MESSAGE(result.error().message);
  REQUIRE(result.ok());
  return out;
}

struct Card {
  cuda::Blas blas{test_device(), {}};
  cuda::Card card{test_device(), blas};
  GenerationSession session(std::shared_ptr<const Model> model, size_t context, ThreadPool& pool) {
    return GenerationSession(std::make_unique<cuda::CardReader>(card, std::move(model), context, pool));
  }
};

// Largest |a - b| over the largest |b|.
double difference(std::span<const float> a, std::span<const float> b) {
  double worst = 0, largest = 1e-30;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(double(a[i]) - double(b[i]));
    worst = d <= worst ? worst : d;  // NaN is the worst
    largest = std::max(largest, std::abs(double(b[i])));
  }
  return worst / largest;
}

// Reads the same tokens with both, in parts of these sizes, and compares the logits after each.
void check_logits(TokenReader& on_card, TokenReader& on_cpu, const Tokens& tokens,
                  const std::vector<size_t>& parts, ThreadPool& pool) {
  const size_t vocabulary = on_cpu.model().config().vocabulary;
  std::vector<float> got(vocabulary), expected(vocabulary);
  size_t at = 0;
  for (const size_t part : parts) {
    CAPTURE(at);
    const auto some = std::span(tokens).subspan(at, part);
    REQUIRE(on_card.read(some, got, pool).ok());
    REQUIRE(on_cpu.read(some, expected, pool).ok());
    CHECK(difference(got, expected) < 1e-4);
    at += part;
    CHECK(on_card.length() == on_cpu.length());
  }
}

}  // namespace

TEST_CASE("every family gives the CPU's tokens, and logits within 1e-4") {
  Card card;
  ThreadPool pool(2);
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    const TemporaryFolder folder;
    write_model(family.model, folder.path, DType::F16);
    const auto model = opened(folder.path);
    auto expected = GenerationSession::load(model, 0, pool).value();
    const GenerationRequest request{.tokens = kPrompt, .max_tokens = 20, .sampling = {}, .stop_tokens = {}};
    const Tokens tokens = answer(expected, request, pool);
    auto session = card.session(model, expected.context(), pool);
    CHECK(session.cache_bytes() == expected.cache_bytes());
    CHECK(answer(session, request, pool) == tokens);

    auto on_cpu = CachedModel::load(model, 20, pool).value();
    in_both_orders([&] {
      on_cpu.truncate(0);
      cuda::CardReader on_card(card.card, model, 20, pool);
      check_logits(on_card, on_cpu, random_tokens(13, model->config().vocabulary, 3), {1, 4, 1, 1, 5, 1},
                   pool);
    });
  }
}

TEST_CASE("the bundled models give the CPU's text") {
  Card card;
  ThreadPool pool(2);
  for (const std::string& folder :
       {std::string(std::getenv("SIGNUM_RESOURCES")) + "/models/signum-stories-4m",
        std::string(std::getenv("SIGNUM_TEST_DATA")) + "/models/opt-tinystories-1m"}) {
    CAPTURE(folder);
    const auto model = opened(folder);
    auto expected = GenerationSession::load(model, 64, pool).value();
    const GenerationRequest request{.tokens = kPrompt, .max_tokens = 20, .sampling = {}, .stop_tokens = {}};
    auto session = card.session(model, 64, pool);
    CHECK(answer(session, request, pool) == answer(expected, request, pool));
  }
}

TEST_CASE("packed models give the CPU's tokens, with packed tables and without") {
  Card card;
  ThreadPool pool(2);
  for (const char* method : {"signum-rc", "billm", "arb-rc", "pb-llm"}) {
    CAPTURE(method);
    const TinyRun tiny;
    RecordingObserver observer;
    QuantizeJob job = tiny.job(method);
    if (std::string(method) == "billm") job.recipe.insert(1, R"("embedding_type": "rtn4", )");
    if (std::string(method) == "arb-rc") job.recipe.insert(1, R"("embedding_type": "rtn8", )");
    const auto model = opened(run_to_end(job, observer).packed);
    auto expected = GenerationSession::load(model, 0, pool).value();
    const GenerationRequest request{
        .tokens = kPrompt, .max_tokens = 20, .sampling = {.temperature = 0.9, .seed = 5}, .stop_tokens = {}};
    auto session = card.session(model, expected.context(), pool);
    CHECK(answer(session, request, pool) == answer(expected, request, pool));
  }
}

TEST_CASE("a graph is recorded once, serves every token, and what is truncated is forgotten") {
  Card card;
  ThreadPool pool(2);
  const TemporaryFolder folder;
  const TinyModel tiny = random_tiny_model(21);
  write_model(tiny, folder.path, DType::BF16);
  const auto model = opened(folder.path);
  cuda::CardReader on_card(card.card, model, 24, pool);
  auto on_cpu = CachedModel::load(model, 24, pool).value();
  CHECK(on_card.weight_bytes() > 0);
  const Tokens tokens = random_tokens(24, tiny.vocabulary, 9);
  check_logits(on_card, on_cpu, tokens, {1, 1, 1, 1, 1, 7, 1, 1}, pool);
  CHECK(on_card.recordings() == 1);
  on_card.truncate(4);
  on_cpu.truncate(4);
  check_logits(on_card, on_cpu, random_tokens(20, tiny.vocabulary, 10), {1, 9, 1, 1}, pool);
  CHECK(on_card.recordings() == 1);
}

TEST_CASE("a text that outgrows what a graph was recorded for") {
  Card card;
  ThreadPool pool(2);
  const TemporaryFolder folder;
  TinyModel tiny = random_tiny_model(22);
  tiny.context = 600;
  const auto model = opened(tiny, folder);
  cuda::CardReader on_card(card.card, model, 600, pool);
  auto on_cpu = CachedModel::load(model, 600, pool).value();
  check_logits(on_card, on_cpu, random_tokens(600, tiny.vocabulary, 9),
               {1, 1, 252, 1, 1, 1, 1, 1, 255, 1, 1, 1}, pool);
  CHECK(on_card.recordings() == 3);
}

TEST_CASE("what does not go is refused before anything is read") {
  Card card;
  ThreadPool pool(2);
  const TemporaryFolder folder;
  const TinyModel tiny = random_tiny_model(21);
  const auto model = opened(tiny, folder);
  const auto refused = cuda::guarded(
      [&] { return cuda::CardReader(card.card, model, model->config().context + 1, pool).capacity(); });
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == "context_too_long");
}
