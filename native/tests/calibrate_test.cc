// Token windows, CPython's random numbers, activations and Hessians.
#include <doctest/doctest.h>

#include "base/mt19937.h"
#include "base/pool.h"
#include "calibrate/hessian.h"
#include "calibrate/tokens.h"
#include "tests/naive_forward.h"
#include "tests/opened_model.h"

using signum::Activations;
using signum::CalibrationPlan;
using signum::DecoderLayer;
using signum::LinearInput;
using signum::Matrix;
using signum::Model;
using signum::PythonRandom;
using signum::Sampling;
using signum::ThreadPool;

namespace {

bool same(const Activations& a, const Activations& b) {
  const auto x = a.batch(0, a.sequences()), y = b.batch(0, b.sequences());
  return x.rows == y.rows && x.rows > 0 &&
         std::memcmp(x.data, y.data, x.rows * x.columns * sizeof(float)) == 0;
}

}  // namespace

// Made with CPython 3.11: random.seed(seed), then the calls named.
TEST_CASE("CPython's random numbers") {
  struct Case {
    uint64_t seed;
    uint32_t words[3];    // getrandbits(32) three times
    uint64_t digits[12];  // after seeding again: randint(0, 9)
    uint64_t bits[4];     // then getrandbits(1), (7), (33), (64)
    uint64_t large;       // then randint(5, 5) = 5 and randint(0, 2**40)
  };
  const Case cases[] = {
      {0,
       {3626764237u, 1654615998u, 3255389356u},
       {6, 6, 0, 4, 8, 7, 6, 4, 7, 5, 9, 3},
       {1, 17, 1210484339u, 1749318759610081913u},
       679236027177u},
      {1,
       {577090037u, 2444712010u, 3639700191u},
       {2, 9, 1, 4, 1, 7, 7, 7, 6, 3, 1, 7},
       {0, 114, 3589583794u, 11205253249702154886u},
       982241122904u},
      {42,
       {2746317213u, 478163327u, 107420369u},
       {1, 0, 4, 3, 3, 2, 1, 8, 1, 9, 6, 0},
       {0, 11, 939042955u, 11105285438068160209u},
       436202226086u},
      {4294967295u,
       {2728839433u, 2661025012u, 872737089u},
       {9, 3, 3, 9, 8, 4, 9, 5, 6, 4, 5, 7},
       {0, 8, 5226878443u, 11260114325224205480u},
       805326771090u},
      {4294967296u,
       {485306839u, 1508871100u, 1794561286u},
       {1, 5, 6, 0, 0, 9, 5, 8, 7, 0, 2, 1},
       {1, 120, 4109391884u, 5795197888586254797u},
       840684227638u},
      {9223372036854788153u,
       {1308997459u, 1668775168u, 912389232u},
       {4, 6, 3, 2, 4, 3, 9, 0, 5, 8, 6, 4},
       {1, 11, 4722801562u, 17748273171263802397u},
       809562116403u},
  };
  for (const Case& c : cases) {
    PythonRandom words(c.seed), random(c.seed);
    for (const uint32_t word : c.words) CHECK(words.next() == word);
    for (const uint64_t digit : c.digits) CHECK(random.randint(0, 9) == digit);
    CHECK(random.getrandbits(1) == c.bits[0]);
    CHECK(random.getrandbits(7) == c.bits[1]);
    CHECK(random.getrandbits(33) == c.bits[2]);
    CHECK(random.getrandbits(64) == c.bits[3]);
    CHECK(random.randint(5, 5) == 5);
    CHECK(random.randint(0, uint64_t(1) << 40) == c.large);
  }
  PythonRandom long_run(0);
  for (int i = 0; i < 700; ++i) long_run.next();  // past the first 624 words
  CHECK(long_run.next() == 2140787315u);
  PythonRandom powers(3);  // a count that is a power of two takes one bit more than its largest value
  for (const int expected : {3, 2, 5, 7, 1, 0, 7, 4, 3, 3}) CHECK(powers.randint(0, 7) == uint64_t(expected));
}

TEST_CASE("windows: one after another, or where CPython's randint puts them") {
  const auto starts = [](Sampling sampling, size_t sequences, size_t length, size_t tokens) {
    const auto result = signum::window_starts({sampling, sequences, length, 0}, tokens, 256);
    REQUIRE(result.ok());
    return result.value();
  };
  CHECK(starts(Sampling::Sequential, 3, 100, 300) == std::vector<size_t>{0, 100, 200});
  CHECK(starts(Sampling::Documents, 3, 100, 300) == std::vector<size_t>{0, 100, 200});
  CHECK(starts(Sampling::Random, 8, 256, 8192) ==
        std::vector<size_t>{6917, 3155, 6209, 7292, 3445, 331, 2121, 7909});
  CHECK(starts(Sampling::Random, 5, 100, 1000) == std::vector<size_t>{864, 394, 776, 430, 41});
  CHECK(starts(Sampling::Random, 2, 100, 101) == std::vector<size_t>{0, 0});
  const uint32_t tokens[] = {10, 11, 12, 13, 14, 15};
  const size_t at[] = {3, 0};
  CHECK(signum::take_windows(tokens, at, 3) == std::vector<uint32_t>{13, 14, 15, 10, 11, 12});
}

TEST_CASE("windows that cannot be had") {
  struct Case {
    CalibrationPlan plan;
    size_t tokens;
    std::string code, message;
  };
  const size_t huge = size_t(1) << 60;
  const Case cases[] = {
      {{Sampling::Sequential, 3, 100, 0},
       299,
       "calibration_too_short",
       "The calibration text has 299 tokens, but 3 x 100 are needed."},
      {{Sampling::Sequential, huge, 100, 0},
       299,
       "calibration_too_short",
       "The calibration text has 299 tokens, but 1152921504606846976 x 100 are needed."},
      {{Sampling::Random, 3, 100, 0},
       100,
       "calibration_too_short",
       "The calibration text has 100 tokens, but 101 are needed."},
      {{Sampling::Sequential, 1, 257, 0},
       1000,
       "context_too_long",
       "Calibration sequences of 257 tokens are longer than the model's 256 positions."},
      {{Sampling::Sequential, 0, 16, 0},
       1000,
       "job_invalid",
       "Calibration needs at least one sequence of at least one token."},
      {{Sampling::Random, 1, 0, 0},
       1000,
       "job_invalid",
       "Calibration needs at least one sequence of at least one token."},
  };
  for (const Case& c : cases) {
    const auto result = signum::window_starts(c.plan, c.tokens, 256);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == c.code);
    CHECK(result.error().message == c.message);
  }
}

TEST_CASE("token files") {
  TemporaryFolder folder;
  const std::string path = folder / "t.u32";
  write_bytes(path, std::string("\1\0\0\0\0\1\0\0", 8));
  CHECK(signum::read_tokens(path, 257).value() == std::vector<uint32_t>{1, 256});
  const auto refused = [&](const std::string& code, const std::string& message, size_t vocabulary = 257) {
    const auto result = signum::read_tokens(path, vocabulary);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == code);
    if (!message.empty()) CHECK(result.error().message == "The token file " + path + message);
  };
  refused("tokens_invalid", " holds the id 256 at place 1, but the vocabulary has 256 entries.", 256);
  write_bytes(path, std::string("\1\0\0\0\0\1\0", 7));
  refused("tokens_invalid", " has 7 bytes, not a multiple of 4.");
  write_bytes(path, std::string("\0\0\0\x80", 4));
  refused("tokens_invalid", " holds the id 2147483648 at place 0, but the vocabulary has 257 entries.");
  write_bytes(path, "");
  refused("tokens_invalid", " is empty.");
  std::filesystem::remove(path);
  refused("read_failed", "");
}

TEST_CASE("activations in a file are those in memory, and leave nothing behind") {
  TemporaryFolder models, spill;
  const TinyModel tiny = random_tiny_model(1);
  const auto model = opened(tiny, models);
  ThreadPool pool(2);
  const size_t length = 20, sequences = 250;  // more than one batch
  const auto tokens = random_tokens(length * sequences, 37, 2);
  const size_t bytes = length * sequences * tiny.hidden * 4;
  Activations memory = embedded(*model, tokens, length, pool, {bytes, spill.path});
  Activations file = embedded(*model, tokens, length, pool, {bytes - 1, spill.path});
  CHECK_FALSE(memory.in_file());
  CHECK(file.in_file());
  CHECK(file.sequences() == sequences);
  CHECK(file.hidden() == tiny.hidden);
  CHECK(std::filesystem::is_empty(spill.path));
  CHECK(same(memory, file));
  signum::ForwardBuffers buffers;
  for (size_t index = 0; index < tiny.layers; ++index) {
    const DecoderLayer layer = loaded(*model, index, pool);
    CHECK(signum::advance(layer, memory, buffers, pool).ok());
    CHECK_FALSE(same(memory, file));
    size_t seen = 0;
    CHECK(signum::advance(layer, file, buffers, pool, [&](size_t done, size_t total) {
            CHECK(done > seen);
            CHECK(total == sequences);
            seen = done;
          }).ok());
    CHECK(seen == sequences);
    CHECK(same(memory, file));
  }
  CHECK(sequences > signum::sequences_per_batch(length));
  Rows x = naive_embed(tiny, {tokens.end() - length, tokens.end()});
  for (size_t index = 0; index < tiny.layers; ++index) x = naive_layer(tiny, index, x).output;
  const auto last = file.batch(sequences - 1, 1);
  for (size_t t = 0; t < length; ++t)
    for (size_t j = 0; j < tiny.hidden; ++j) CHECK(std::abs(double(last(t, j)) - x[t][j]) < 2e-4);
}

TEST_CASE("activations that cannot be stored") {
  TemporaryFolder folder;
  const auto nowhere = Activations::create(2, 8, 16, {0, folder / "gone"});
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().code == "write_failed");
  CHECK(nowhere.error().message == "A file of 1024 bytes for activations cannot be made in " +
                                       (folder / "gone") + ": No such file or directory.");
  const auto full = Activations::create(size_t(1) << 20, size_t(1) << 16, 1 << 10, {0, folder.path});
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().code == "disk_full");
  CHECK(full.error().message.starts_with("The activations need 281474976710656 bytes in " + folder.path +
                                         ", but only "));
  CHECK(std::filesystem::is_empty(folder.path));
}

TEST_CASE("Hessians against F64; ARB-X's S is half of them") {
  TemporaryFolder folder;
  const TinyModel tiny = random_tiny_model(3);
  const auto model = opened(tiny, folder);
  const size_t length = 30, sequences = 140;  // two batches
  REQUIRE(sequences > signum::sequences_per_batch(length));
  const auto tokens = random_tokens(length * sequences, 37, 4);

  // S = mean over sequences of X^T X, ARB-LLM, ARB-X
  const size_t widths[] = {tiny.hidden, 60, tiny.hidden, tiny.intermediate};
  std::vector<Rows> s;
  for (const size_t width : widths) s.push_back(Rows(width, std::vector<double>(width)));
  for (size_t i = 0; i < sequences; ++i) {
    const auto at = tokens.begin() + i * length;
    const Rows first = naive_layer(tiny, 0, naive_embed(tiny, {at, at + length})).output;
    const NaiveLayer layer = naive_layer(tiny, 1, first);
    const Rows* inputs[] = {&layer.attention_input, &layer.attention_output, &layer.mlp_input,
                            &layer.mlp_hidden};
    for (size_t which = 0; which < 4; ++which)
      for (const auto& x : *inputs[which])
        for (size_t a = 0; a < widths[which]; ++a)
          for (size_t b = 0; b < widths[which]; ++b) s[which][a][b] += x[a] * x[b] / double(sequences);
  }

  std::vector<signum::LayerHessians> results;
  for (const size_t threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    signum::ForwardBuffers buffers;
    Activations x = embedded(*model, tokens, length, pool);
    REQUIRE(signum::advance(loaded(*model, 0, pool), x, buffers, pool).ok());
    Activations before = embedded(*model, tokens, length, pool);
    REQUIRE(signum::advance(loaded(*model, 0, pool), before, buffers, pool).ok());
    size_t seen = 0;
    auto hessians = signum::collect_hessians(loaded(*model, 1, pool), x, buffers, pool,
                                             [&](size_t done, size_t) { seen = done; });
    REQUIRE(hessians.ok());
    CHECK(seen == sequences);
    CHECK(same(x, before));
    results.push_back(std::move(hessians).value());
  }
  for (size_t which = 0; which < 4; ++which) {
    const Matrix& h = results[0].of(LinearInput(which));
    REQUIRE(h.rows() == widths[which]);
    REQUIRE(h.columns() == widths[which]);
    double largest = 0, error = 0;
    for (size_t a = 0; a < h.rows(); ++a)
      for (size_t b = 0; b < h.columns(); ++b) {
        largest = std::max(largest, std::abs(2 * s[which][a][b]));
        error = std::max(error, std::abs(double(h(a, b)) - 2 * s[which][a][b]));
        CHECK(h(a, b) == h(b, a));
      }
    CHECK(error < 1e-5 * largest);
    for (const auto& other : results)
      CHECK(std::memcmp(h.data(), other.of(LinearInput(which)).data(), h.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("NaN and infinity in the activations are refused, the place named") {
  TemporaryFolder folder;
  TinyModel tiny = random_tiny_model(5);
  const auto tokens = random_tokens(40, 37, 6);
  ThreadPool pool(2);
  signum::ForwardBuffers buffers;
  const auto message = [&](const char* tensor) {
    TinyModel broken = tiny;
    for (float& value : broken.tensors.at(tensor).values) value = value > 0 ? 3e38f : -3e38f;
    const auto model = opened(broken, folder);
    Activations x = embedded(*model, tokens, 20, pool);
    const DecoderLayer layer = loaded(*model, 1, pool);
    const auto hessians = signum::collect_hessians(layer, x, buffers, pool);
    const signum::Status moved = signum::advance(layer, x, buffers, pool);
    REQUIRE_FALSE(moved.ok());
    CHECK(moved.error().code == "calibration_not_finite");
    CHECK(moved.error().message == "NaN or infinity appeared in the output of decoder layer 1.");
    if (hessians.ok()) return std::string();
    CHECK(hessians.error().code == "calibration_not_finite");
    return hessians.error().message;
  };
  CHECK(message("model.layers.1.mlp.down_proj.weight") == "");
  CHECK(message("model.layers.1.mlp.up_proj.weight") ==
        "NaN or infinity appeared in the input of down_proj of decoder layer 1.");
  CHECK(message("model.layers.1.self_attn.v_proj.weight") ==
        "NaN or infinity appeared in the input of o_proj of decoder layer 1.");
  CHECK(message("model.layers.1.input_layernorm.weight") ==
        "NaN or infinity appeared in the input of q_proj, k_proj, v_proj of decoder layer 1.");
}
