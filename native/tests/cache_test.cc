// A text read in parts, with the cache, against the text read at once.
#include <doctest/doctest.h>

#include "generate/cached_model.h"
#include "tests/logits_of.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/tiny_families.h"

using namespace signum;

namespace {

CachedModel cached(const std::string& folder, size_t capacity, ThreadPool& pool) {
  auto loaded = CachedModel::load(opened(folder), capacity, pool);
  REQUIRE(loaded.ok());
  return std::move(loaded).value();
}

// Reads the tokens behind those in the cache, in parts of these sizes in turn; logits of all of them.
Matrix read_in_parts(CachedModel& model, std::span<const uint32_t> tokens, const std::vector<size_t>& parts,
                     ThreadPool& pool) {
  Matrix out(tokens.size(), model.model().config().vocabulary);
  for (size_t first = 0, turn = 0; first < tokens.size();) {
    const size_t count = std::min(parts[turn++ % parts.size()], tokens.size() - first);
    const auto hidden = model.read(tokens.subspan(first, count), pool);
    REQUIRE(hidden.ok());
    model.logits(hidden.value(), out.view().block(first, 0, count, out.columns()), pool);
    first += count;
  }
  return out;
}

Matrix from_row(const Matrix& m, size_t first) {
  return Matrix::copy_of(m.view().block(first, 0, m.rows() - first, m.columns()));
}

constexpr size_t kLength = 97;  // longer than every window of the families

void check_parts(const TinyModel& tiny, const std::string& folder) {
  ThreadPool pool(2);
  const auto tokens = random_tokens(kLength, tiny.vocabulary, 3);
  const Matrix whole = logits_of(*opened(folder), tokens);
  CachedModel model = cached(folder, kLength, pool);
  CHECK(model.cache().bytes() == 2 * kLength * tiny.layers * tiny.kv_heads * tiny.head_dim * sizeof(float));
  for (const auto& parts :
       std::vector<std::vector<size_t>>{{1}, {kLength}, {7}, {1, 13, 2, 5}, {64, 1, 1, 3, 70}}) {
    CAPTURE(parts[0]);
    model.truncate(0);
    CHECK(nmse(read_in_parts(model, tokens, parts, pool), whole) < 1e-11);
    CHECK(model.cache().length() == kLength);
  }
  // Another end behind the same beginning.
  auto other = tokens;
  for (size_t i = 50; i < kLength; ++i) other[i] = (other[i] + 1) % uint32_t(tiny.vocabulary);
  model.truncate(50);
  CHECK(nmse(read_in_parts(model, std::span(other).subspan(50), {1, 3}, pool),
             from_row(logits_of(*opened(folder), other), 50)) < 1e-11);
}

}  // namespace

TEST_CASE("every family: token by token, in parts of any size, and at once, the logits are the same") {
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    const TemporaryFolder folder;
    write_model(family.model, folder.path, DType::F16);
    check_parts(family.model, folder.path);
  }
}

TEST_CASE("windows shorter than a part, and of one token") {
  for (const TinyFamily& family : {tiny_mistral(5), tiny_mistral(1), tiny_phi3(16)}) {
    CAPTURE(family.name);
    const TemporaryFolder folder;
    write_model(family.model, folder.path, DType::F32);
    check_parts(family.model, folder.path);
  }
}

TEST_CASE("a packed model reads on as it reads at once") {
  for (const char* method : {"gptq", "signum-rc", "arb-rc", "billm"}) {
    CAPTURE(method);
    const TinyRun tiny(tiny_llama3().model);
    RecordingObserver observer;
    check_parts(tiny.model, run_to_end(tiny.job(method), observer).packed);
  }
}

TEST_CASE("reading on has the same bytes for any number of threads") {
  const TemporaryFolder folder;
  const TinyModel tiny = tiny_gemma2().model;
  write_model(tiny, folder.path, DType::BF16);
  const auto tokens = random_tokens(kLength, tiny.vocabulary, 3);
  const auto read = [&](size_t threads) {
    ThreadPool pool(threads);
    CachedModel model = cached(folder.path, kLength, pool);
    return read_in_parts(model, tokens, {20, 1, 1, 3}, pool);
  };
  const Matrix one = read(1), three = read(3);
  CHECK(std::memcmp(one.data(), three.data(), one.size() * sizeof(float)) == 0);
}

TEST_CASE("a cache beyond the model's positions, and broken weights, are refused") {
  ThreadPool pool(2);
  const TemporaryFolder folder;
  TinyModel tiny = random_tiny_model(5);
  const auto longer = CachedModel::load(opened(tiny, folder.path), tiny.context + 1, pool);
  REQUIRE(!longer.ok());
  CHECK(longer.error().code == "context_too_long");
  for (const std::string name :
       {"lm_head.weight", "model.layers.1.mlp.down_proj.weight", "model.layers.0.input_layernorm.weight"}) {
    TinyModel broken = tiny;
    broken.tensors.at(name).values.back() = std::nanf("");
    const auto refused = CachedModel::load(opened(broken, folder.path), 10, pool);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == "weights_not_finite");
    CHECK(refused.error().message.find(name) != std::string::npos);
  }
}
