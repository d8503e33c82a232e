// A session: what it answers, when it ends, what it reads again.
#include <doctest/doctest.h>

#include <algorithm>

#include "generate/session.h"
#include "tests/logits_of.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/tiny_families.h"

using namespace signum;

namespace {

using Tokens = std::vector<uint32_t>;

struct Tiny {
  TemporaryFolder folder;
  TinyModel model = random_tiny_model(21);
  ThreadPool pool{2};

  Tiny() { write_model(model, folder.path, DType::F16); }
  GenerationSession session(size_t context = 0) {
    auto loaded = GenerationSession::load(opened(folder.path), context, pool);
    REQUIRE(loaded.ok());
    return std::move(loaded).value();
  }
};

struct Answer {
  Generation generation;
  Tokens tokens;
};

Answer answer(GenerationSession& session, const GenerationRequest& request, ThreadPool& pool,
              size_t halt_after = SIZE_MAX) {
  Answer out;
  const GenerationSession::Listener listener{.token =
                                                 [&](size_t index, uint32_t token) {
                                                   CHECK(index == out.tokens.size());
                                                   out.tokens.push_back(token);
                                                 },
                                             .halted = [&] { return out.tokens.size() >= halt_after; }};
  const auto result = session.generate(request, listener, pool);
  REQUIRE(result.ok());
  out.generation = result.value();
  CHECK(out.generation.tokens == out.tokens.size());
  return out;
}

std::string refusal(GenerationSession& session, const GenerationRequest& request, ThreadPool& pool) {
  const auto result =
      session.generate(request, {.token = [](size_t, uint32_t) {}, .halted = [] { return false; }}, pool);
  REQUIRE(!result.ok());
  return result.error().code;
}

// Greedy, by reading everything again for every token.
Tokens naive_greedy(const Model& model, Tokens text, size_t count) {
  Tokens out;
  for (size_t i = 0; i < count; ++i) {
    const Matrix logits = logits_of(model, text);
    const float* last = logits.row(logits.rows() - 1);
    out.push_back(uint32_t(std::max_element(last, last + logits.columns()) - last));
    text.push_back(out.back());
  }
  return out;
}

const Tokens kPrompt = {3, 1, 4, 1, 5, 9, 2, 6};

}  // namespace

TEST_CASE("greedy answers are those of reading everything again for every token, of every family") {
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    const TemporaryFolder folder;
    write_model(family.model, folder.path, DType::F16);
    ThreadPool pool(2);
    const auto model = opened(folder.path);
    auto session = GenerationSession::load(model, 0, pool).value();
    CHECK(answer(session, {.tokens = kPrompt, .max_tokens = 20, .sampling = {}, .stop_tokens = {}}, pool)
              .tokens == naive_greedy(*model, kPrompt, 20));
  }
}

TEST_CASE("a packed model answers as the model that it decodes to") {
  const TinyRun tiny;
  RecordingObserver observer;
  const auto model = opened(run_to_end(tiny.job("signum-rc"), observer).packed);
  ThreadPool pool(2);
  auto session = GenerationSession::load(model, 0, pool).value();
  CHECK(answer(session, {.tokens = kPrompt, .max_tokens = 20, .sampling = {}, .stop_tokens = {}}, pool)
            .tokens == naive_greedy(*model, kPrompt, 20));
}

TEST_CASE("the longest beginning that is the same is not read again, and answers stay the same") {
  Tiny tiny;
  GenerationSession session = tiny.session(), fresh = tiny.session();
  const GenerationRequest first{
      .tokens = kPrompt, .max_tokens = 5, .sampling = {.temperature = 1, .seed = 4}, .stop_tokens = {}};
  const Answer once = answer(session, first, tiny.pool);
  CHECK(once.generation.reused_tokens == 0);
  const Answer again = answer(session, first, tiny.pool);
  CHECK(again.generation.reused_tokens == kPrompt.size() - 1);
  CHECK(again.tokens == once.tokens);

  // A conversation that goes on: the answer's own tokens are in the cache, but for the last one.
  GenerationRequest next = first;
  next.tokens.insert(next.tokens.end(), once.tokens.begin(), once.tokens.end());
  next.tokens.insert(next.tokens.end(), {7, 7, 7});
  const Answer going_on = answer(session, next, tiny.pool);
  CHECK(going_on.generation.reused_tokens == kPrompt.size() + 4);
  CHECK(going_on.tokens == answer(fresh, next, tiny.pool).tokens);

  next.tokens[2] = 30;
  const Answer other = answer(session, next, tiny.pool);
  CHECK(other.generation.reused_tokens == 2);
  CHECK(other.tokens == answer(fresh, next, tiny.pool).tokens);
}

TEST_CASE("an answer ends by length, by a stop token, by a full cache, or halted") {
  Tiny tiny;
  GenerationSession session = tiny.session(12);
  CHECK(session.context() == 12);
  GenerationRequest request{.tokens = kPrompt, .max_tokens = 3, .sampling = {}, .stop_tokens = {}};
  const Answer length = answer(session, request, tiny.pool);
  CHECK(length.generation.end == GenerationEnd::Length);
  CHECK(length.tokens.size() == 3);

  request.max_tokens = 100;
  const Answer full = answer(session, request, tiny.pool);
  CHECK(full.generation.end == GenerationEnd::Context);
  CHECK(full.tokens.size() == 12 - kPrompt.size() + 1);

  // The first token that was not told before it.
  const auto stop =
      std::ranges::find_if(full.tokens, [&](uint32_t token) { return token != full.tokens[0]; });
  request.stop_tokens = {36, stop == full.tokens.end() ? full.tokens[0] : *stop};
  const Answer stopped = answer(session, request, tiny.pool);
  CHECK(stopped.generation.end == GenerationEnd::StopToken);
  CHECK(stopped.tokens ==
        Tokens(full.tokens.begin(), std::ranges::find(full.tokens, request.stop_tokens[1])));

  request.stop_tokens = {};
  const Answer halted = answer(session, request, tiny.pool, 2);
  CHECK(halted.generation.end == GenerationEnd::Halted);
  CHECK(halted.tokens == Tokens(full.tokens.begin(), full.tokens.begin() + 2));
  CHECK(answer(session, request, tiny.pool, 0).tokens.empty());
  CHECK(answer(session, request, tiny.pool).tokens == full.tokens);

  request.tokens.resize(12, 1);
  const Answer last = answer(session, request, tiny.pool);
  CHECK(last.generation.end == GenerationEnd::Context);
  CHECK(last.tokens.size() == 1);
}

TEST_CASE("a prompt of several parts, halted between them, is read on from there") {
  Tiny tiny;
  tiny.model.context = 1500;
  write_model(tiny.model, tiny.folder.path, DType::F16);
  GenerationSession session = tiny.session(), fresh = tiny.session();
  const GenerationRequest request{.tokens = random_tokens(1200, tiny.model.vocabulary, 6),
                                  .max_tokens = 2,
                                  .sampling = {},
                                  .stop_tokens = {}};
  int asked = 0;
  const auto halted = session.generate(
      request, {.token = [](size_t, uint32_t) {}, .halted = [&] { return ++asked > 1; }}, tiny.pool);
  REQUIRE(halted.ok());
  CHECK(halted.value().end == GenerationEnd::Halted);
  const Answer whole = answer(session, request, tiny.pool);
  CHECK(whole.generation.reused_tokens == 512);
  CHECK(whole.tokens == answer(fresh, request, tiny.pool).tokens);
}

TEST_CASE("the same tokens for any number of threads") {
  Tiny tiny;
  const GenerationRequest request{
      .tokens = kPrompt, .max_tokens = 60, .sampling = {.temperature = 1.2, .seed = 8}, .stop_tokens = {}};
  GenerationSession session = tiny.session();
  const Tokens two = answer(session, request, tiny.pool).tokens;
  ThreadPool one(1);
  auto alone = GenerationSession::load(opened(tiny.folder.path), 0, one).value();
  CHECK(answer(alone, request, one).tokens == two);
}

TEST_CASE("bad requests are refused by name, and the session goes on") {
  Tiny tiny;
  GenerationSession session = tiny.session(16);
  const GenerationRequest good{.tokens = kPrompt, .max_tokens = 3, .sampling = {}, .stop_tokens = {}};
  const Tokens expected = answer(session, good, tiny.pool).tokens;
  const auto with = [&](auto change) {
    GenerationRequest bad = good;
    change(bad);
    return refusal(session, bad, tiny.pool);
  };
  CHECK(with([](auto& r) { r.tokens.clear(); }) == "tokens_invalid");
  CHECK(with([](auto& r) { r.tokens[3] = 37; }) == "tokens_invalid");
  CHECK(with([](auto& r) { r.stop_tokens = {40}; }) == "tokens_invalid");
  CHECK(with([](auto& r) { r.tokens.resize(17, 1); }) == "context_too_long");
  CHECK(with([](auto& r) { r.max_tokens = 0; }) == "sampling_invalid");
  CHECK(with([](auto& r) { r.sampling.temperature = -1; }) == "sampling_invalid");
  CHECK(with([](auto& r) { r.sampling.top_p = 0; }) == "sampling_invalid");
  const Answer after = answer(session, good, tiny.pool);
  CHECK(after.tokens == expected);
  CHECK(after.generation.reused_tokens == kPrompt.size() - 1);  // refusals have left the cache alone
}
