// The decoder layer against a plain F64 forward pass, and the row operations it is made of.
#include <doctest/doctest.h>

#include <limits>

#include "base/pool.h"
#include "evaluate/logits.h"
#include "math/finite.h"
#include "model/attention.h"
#include "model/decoder_layer.h"
#include "model/ends.h"
#include "model/row_operations.h"
#include "tests/naive_families.h"
#include "tests/opened_model.h"

using signum::ConstView;
using signum::DecoderLayer;
using signum::LinearInput;
using signum::Matrix;
using signum::Model;
using signum::ThreadPool;

namespace {

std::vector<float> random_row(size_t n, float spread, uint32_t seed) {
  std::mt19937 source(seed);
  std::vector<float> row(n);
  for (float& value : row) value = spread * (float(source()) / 2147483648.0f - 1.0f);
  return row;
}

Matrix embedded(const Model& model, const std::vector<uint32_t>& tokens, ThreadPool& pool) {
  Matrix x(tokens.size(), model.config().hidden);
  REQUIRE(signum::embed(model, tokens, tokens.size(), x.view(), pool).ok());
  return x;
}

// Largest difference, rows first_row on of a.
double furthest(ConstView a, const Rows& b, size_t first_row = 0) {
  double largest = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    REQUIRE(a.columns == b[i].size());
    for (size_t j = 0; j < a.columns; ++j)
      largest = std::max(largest, std::abs(double(a(first_row + i, j)) - b[i][j]));
  }
  return largest;
}

}  // namespace

TEST_CASE("row operations at every length up to 70, against F64") {
  for (size_t n = 1; n <= 70; ++n) {
    CAPTURE(n);
    const auto x = random_row(n, 4, uint32_t(n)), y = random_row(n, 2, uint32_t(n + 100));
    // A guard element behind each output shows a store too many.
    std::vector<float> out(n + 1, 7.0f);
    double squares = 0;
    for (const float value : x) squares += double(value) * value;
    signum::rms_norm(x.data(), y.data(), 1e-5, out.data(), n);
    for (size_t i = 0; i < n; ++i)
      CHECK(out[i] == doctest::Approx(x[i] / std::sqrt(squares / double(n) + 1e-5) * y[i]).epsilon(1e-6));
    CHECK(out[n] == 7.0f);

    signum::silu_multiply(x.data(), y.data(), out.data(), n);
    for (size_t i = 0; i < n; ++i)
      CHECK(std::abs(out[i] - double(x[i]) / (1 + std::exp(-double(x[i]))) * y[i]) < 1e-5);
    CHECK(out[n] == 7.0f);

    signum::gelu_tanh_multiply(x.data(), y.data(), out.data(), n);
    for (size_t i = 0; i < n; ++i) CHECK(std::abs(out[i] - naive_gelu_tanh(double(x[i])) * y[i]) < 2e-6);
    CHECK(out[n] == 7.0f);

    const auto z = random_row(n, 3, uint32_t(n + 300));
    double mean = 0, variance = 0;
    for (const float value : x) mean += double(value) / double(n);
    for (const float value : x) variance += std::pow(double(value) - mean, 2) / double(n);
    signum::layer_norm(x.data(), y.data(), z.data(), 1e-5, out.data(), n);
    for (size_t i = 0; i < n; ++i)
      CHECK(std::abs(out[i] - ((x[i] - mean) / std::sqrt(variance + 1e-5) * y[i] + z[i])) <
            (n == 1 ? 1e-3 : 1e-5));
    CHECK(out[n] == 7.0f);

    const auto in_place = [&](const auto& change, const auto& expected) {
      std::copy(x.begin(), x.end(), out.begin());
      change(out.data());
      for (size_t i = 0; i < n; ++i) CHECK(out[i] == doctest::Approx(expected(i)).epsilon(1e-6));
      CHECK(out[n] == 7.0f);
    };
    in_place([&](float* row) { signum::relu(row, n); }, [&](size_t i) { return std::max(x[i], 0.0f); });
    in_place([&](float* row) { signum::soft_cap(row, 1.5f, n); },
             [&](size_t i) { return 1.5 * std::tanh(x[i] / 1.5); });
    in_place([&](float* row) { signum::scale_row(row, 2.5f, n); }, [&](size_t i) { return 2.5f * x[i]; });
    in_place([&](float* row) { signum::add_row(row, y.data(), n); }, [&](size_t i) { return x[i] + y[i]; });

    std::vector<float> scores = x;
    scores.resize(n + 5, 9.0f);
    signum::softmax(scores.data(), n, n + 4);
    double total = 0, mass = 0;
    for (const float value : x) total += std::exp(double(value));
    for (size_t i = 0; i < n; ++i) {
      CHECK(scores[i] == doctest::Approx(std::exp(double(x[i])) / total).epsilon(2e-6));
      mass += scores[i];
    }
    CHECK(mass == doctest::Approx(1).epsilon(1e-6));
    for (size_t i = n; i < n + 4; ++i) CHECK(scores[i] == 0.0f);
    CHECK(scores[n + 4] == 9.0f);
    CHECK(signum::log_sum_exp(x.data(), n) == doctest::Approx(std::log(total)).epsilon(1e-6));

    auto turned = random_row(2 * n, 1, uint32_t(n + 200));
    const auto before = turned;
    turned.push_back(7.0f);
    signum::rotate_halves(turned.data(), x.data(), y.data(), n);
    for (size_t i = 0; i < n; ++i) {
      CHECK(std::abs(turned[i] - (double(before[i]) * x[i] - double(before[i + n]) * y[i])) < 1e-5);
      CHECK(std::abs(turned[i + n] - (double(before[i + n]) * x[i] + double(before[i]) * y[i])) < 1e-5);
    }
    CHECK(turned[2 * n] == 7.0f);

    CHECK(signum::all_finite(x.data(), n));
    for (size_t i = 0; i < n; ++i)
      for (const float bad :
           {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        auto broken = x;
        broken[i] = bad;
        CHECK_FALSE(signum::all_finite(broken.data(), n));
      }
  }
}

TEST_CASE("row operations at the edges of F32") {
  const float largest = std::numeric_limits<float>::max();
  std::vector<float> x = {-1e4f, 300.0f, 301.0f, -200.0f};
  CHECK(signum::log_sum_exp(x.data(), 4) ==
        doctest::Approx(301 + std::log(1 + std::exp(-1.0))).epsilon(1e-7));
  signum::softmax(x.data(), 4, 4);
  CHECK(x[0] == 0.0f);
  CHECK(x[2] == doctest::Approx(1 / (1 + std::exp(-1.0))).epsilon(1e-6));
  const float gates[] = {-150.0f, 150.0f, 0.0f, -20.0f}, ones[] = {1, 1, 1, 1};
  float out[4];
  signum::silu_multiply(gates, ones, out, 4);
  CHECK(std::abs(out[0]) < 1e-30f);
  CHECK(out[1] == 150.0f);
  CHECK(out[2] == 0.0f);
  CHECK(out[3] == doctest::Approx(-20 / (1 + std::exp(20.0))).epsilon(1e-5));
  const float steep[] = {-largest, -1e5f, 1e5f, -6.0f};
  signum::silu_multiply(steep, ones, out, 4);
  CHECK(out[1] == 0.0f);
  CHECK(out[2] == 1e5f);
  signum::gelu_tanh_multiply(steep, ones, out, 4);
  CHECK(out[1] == 0.0f);
  CHECK(out[2] == 1e5f);
  CHECK(out[3] == doctest::Approx(naive_gelu_tanh(-6)).epsilon(1e-3));  // 1 + tanh(-6.5) cancels in F64 too
  signum::soft_cap(std::copy(steep, steep + 4, out) - 4, 30, 4);
  CHECK(out[0] == -30.0f);
  CHECK(out[2] == 30.0f);
  // A NaN stays one, to be found where the activations are looked at.
  for (const auto& change : std::initializer_list<void (*)(float*)>{
           [](float* row) { signum::relu(row, 4); }, [](float* row) { signum::soft_cap(row, 3, 4); },
           [](float* row) { signum::gelu_tanh_multiply(row, row, row, 4); }}) {
    float row[] = {1, std::nanf(""), 2, 3};
    change(row);
    CHECK(std::isnan(row[1]));
    CHECK_FALSE(std::isnan(row[2]));
  }
  const float finite[] = {largest, -largest, std::numeric_limits<float>::denorm_min(), 0.0f};
  CHECK(signum::all_finite(finite, 4));
  const float broken[] = {1.0f, std::nanf(""), 2.0f};
  CHECK(std::isnan(signum::log_sum_exp(broken, 3)));
}

TEST_CASE("log_sum_exp over a large vocabulary keeps seven digits") {
  const auto x = random_row(128256, 6, 1);
  double total = 0;
  for (const float value : x) total += std::exp(double(value));
  CHECK(signum::log_sum_exp(x.data(), x.size()) == doctest::Approx(std::log(total)).epsilon(1e-7));
}

TEST_CASE("every linear input and the output of a layer, sequences side by side, against F64") {
  TemporaryFolder folder;
  const TinyModel tiny = random_tiny_model(21);
  const auto model = opened(tiny, folder);
  ThreadPool pool(2);
  const size_t length = 150, sequences = 3;  // more than two tiles of queries, the last one not full
  const auto tokens = random_tokens(length * sequences, tiny.vocabulary, 22);
  Matrix x = embedded(*model, tokens, pool);
  std::vector<Rows> naive;
  for (size_t s = 0; s < sequences; ++s)
    naive.push_back(naive_embed(tiny, {tokens.begin() + s * length, tokens.begin() + (s + 1) * length}));
  signum::ForwardBuffers buffers;
  for (size_t index = 0; index < tiny.layers; ++index) {
    std::vector<NaiveLayer> expected;
    for (const Rows& input : naive) expected.push_back(naive_layer(tiny, index, input));
    std::vector<LinearInput> order;
    Matrix out(x.rows(), x.columns());
    loaded(*model, index, pool)
        .forward(x.view(), length, out.view(), buffers, pool,
                 [&](LinearInput which, ConstView given, ConstView) {
                   order.push_back(which);
                   REQUIRE(given.rows == length * sequences);
                   CHECK(given.columns == model->input_width(which));
                   for (size_t s = 0; s < sequences; ++s) {
                     const Rows* rows[] = {&expected[s].attention_input, &expected[s].attention_output,
                                           &expected[s].mlp_input, &expected[s].mlp_hidden};
                     CHECK(furthest(given, *rows[size_t(which)], s * length) < 1e-4);
                   }
                 });
    CHECK(order == std::vector<LinearInput>{LinearInput::Attention, LinearInput::AttentionOutput,
                                            LinearInput::Mlp, LinearInput::MlpHidden});
    for (size_t s = 0; s < sequences; ++s) {
      CHECK(furthest(out.view(), expected[s].output, s * length) < 1e-4);
      naive[s] = expected[s].output;
    }
    x = std::move(out);
  }
}

TEST_CASE("many shapes of heads and lengths, against F64") {
  struct Shape {
    size_t hidden, intermediate, heads, kv_heads, head_dim, length;
  };
  for (const Shape s : {Shape{8, 5, 1, 1, 2, 1},
                        {8, 16, 4, 4, 8, 64},
                        {20, 12, 4, 1, 6, 65},
                        {16, 33, 8, 4, 2, 128},
                        {12, 7, 3, 3, 4, 2},
                        {32, 48, 2, 2, 64, 129}}) {
    CAPTURE(s.length);
    TemporaryFolder folder;
    TinyModel tiny;
    tiny.hidden = s.hidden, tiny.intermediate = s.intermediate, tiny.heads = s.heads,
    tiny.kv_heads = s.kv_heads;
    tiny.head_dim = s.head_dim;
    tiny.theta = 500;
    randomize(tiny, uint32_t(s.length));
    const auto model = opened(tiny, folder);
    ThreadPool pool(2);
    const auto tokens = random_tokens(s.length, tiny.vocabulary, 4);
    const auto logits = signum::logits(*model, tokens, pool);
    REQUIRE(logits.ok());
    CHECK(furthest(logits.value().view(), naive_logits(tiny, tokens)) < 5e-4);
  }
}

TEST_CASE("the same bytes with 1, 2 and 5 threads, alone or in a batch, in place or not") {
  TemporaryFolder folder;
  TinyModel tiny;
  tiny.hidden = 64, tiny.intermediate = 160, tiny.heads = 4, tiny.head_dim = 16;
  randomize(tiny, 31);
  const auto model = opened(tiny, folder);
  const size_t length = 130, sequences = 5;
  const auto tokens = random_tokens(length * sequences, tiny.vocabulary, 32);
  std::vector<Matrix> results;
  for (const size_t threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    const DecoderLayer layer = loaded(*model, 0, pool);
    signum::ForwardBuffers buffers;
    Matrix x = embedded(*model, tokens, pool), out(x.rows(), x.columns());
    layer.forward(x.view(), length, out.view(), buffers, pool);
    layer.forward(x.view(), length, x.view(), buffers, pool);
    CHECK(std::memcmp(x.data(), out.data(), x.size() * 4) == 0);
    results.push_back(std::move(out));
  }
  for (const Matrix& result : results)
    CHECK(std::memcmp(result.data(), results[0].data(), result.size() * 4) == 0);
}

TEST_CASE("buffers kept between calls do not change a result, shorter or longer than before") {
  TemporaryFolder folder;
  const auto model = opened(random_tiny_model(35), folder);
  ThreadPool pool(2);
  const DecoderLayer layer = loaded(*model, 0, pool);
  signum::ForwardBuffers kept;
  for (const size_t length : {10, 90, 30, 150}) {
    const Matrix x = embedded(*model, random_tokens(2 * length, 37, uint32_t(length)), pool);
    signum::ForwardBuffers fresh;
    Matrix a(x.rows(), x.columns()), b(x.rows(), x.columns());
    layer.forward(x.view(), length, a.view(), kept, pool);
    layer.forward(x.view(), length, b.view(), fresh, pool);
    CHECK(std::memcmp(a.data(), b.data(), a.size() * 4) == 0);
  }
}

TEST_CASE("without an output the sink still sees every input, unchanged") {
  TemporaryFolder folder;
  const auto model = opened(random_tiny_model(41), folder);
  ThreadPool pool(2);
  const auto tokens = random_tokens(90, 37, 42);
  const Matrix x = embedded(*model, tokens, pool);
  const DecoderLayer layer = loaded(*model, 1, pool);
  std::vector<Matrix> with, without;
  signum::ForwardBuffers buffers;
  Matrix out(x.rows(), x.columns());
  layer.forward(x.view(), 45, out.view(), buffers, pool,
                [&](LinearInput, ConstView v, ConstView) { with.push_back(Matrix::copy_of(v)); });
  const Matrix before = x.clone();
  layer.forward(x.view(), 45, {}, buffers, pool,
                [&](LinearInput, ConstView v, ConstView) { without.push_back(Matrix::copy_of(v)); });
  REQUIRE(with.size() == 4);
  REQUIRE(without.size() == 4);
  for (size_t i = 0; i < 4; ++i)
    CHECK(std::memcmp(with[i].data(), without[i].data(), with[i].size() * 4) == 0);
  CHECK(std::memcmp(before.data(), x.data(), x.size() * 4) == 0);
}

TEST_CASE("a replaced weight is the one that is used") {
  TemporaryFolder first, second;
  const TinyModel tiny = random_tiny_model(51);
  TinyModel other = tiny;
  const auto model = opened(tiny, first);
  ThreadPool pool(2);
  const auto tokens = random_tokens(20, 37, 52);
  const Matrix x = embedded(*model, tokens, pool);
  signum::ForwardBuffers buffers;
  for (size_t index = 0; index < 7; ++index) {
    auto& values = other.tensors.at(model->linears()[index].name + ".weight").values;
    for (float& value : values) value = value * 0.5f + 0.1f;
    const auto changed = opened(other, second);
    DecoderLayer layer = loaded(*model, 0, pool);
    const DecoderLayer expected = loaded(*changed, 0, pool);
    Matrix a(x.rows(), x.columns()), b(x.rows(), x.columns());
    layer.forward(x.view(), 20, a.view(), buffers, pool);
    expected.forward(x.view(), 20, b.view(), buffers, pool);
    CHECK(std::memcmp(a.data(), b.data(), a.size() * 4) != 0);
    for (size_t i = 0; i <= index; ++i) {
      const Matrix taken = layer.take(i);
      CHECK(taken.rows() == model->linears()[i].rows);
      layer.replace(i, expected.weight(i).clone());
    }
    layer.forward(x.view(), 20, a.view(), buffers, pool);
    CHECK(std::memcmp(a.data(), b.data(), a.size() * 4) == 0);
  }
}
