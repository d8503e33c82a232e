// The correction: inputs of two models side by side, and the weights that make good what differs.
#include "methods/correction.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <span>

#include "base/pool.h"
#include "calibrate/paired.h"
#include "math/linear_algebra.h"
#include "tests/naive_forward.h"
#include "tests/opened_model.h"

using namespace signum;

namespace {

// The model whose linears before the last one of layer 1 are off by a few per cent.
TinyModel changed(TinyModel tiny) {
  std::mt19937 random(9);
  for (auto& [name, tensor] : tiny.tensors)
    if (name.find("_proj.") != std::string::npos)
      for (float& value : tensor.values) value *= 1.0f + 0.1f * (float(random()) / 4.3e9f - 0.5f);
  return tiny;
}

const Rows& input_of(const NaiveLayer& layer, LinearInput input) {
  const Rows* inputs[] = {&layer.attention_input, &layer.attention_output, &layer.mlp_input,
                          &layer.mlp_hidden};
  return *inputs[size_t(input)];
}

// sum of (a - b) c^T over the tokens.
Rows products(const Rows& a, const Rows& b, const Rows& c) {
  Rows out(a[0].size(), std::vector<double>(c[0].size()));
  for (size_t t = 0; t < a.size(); ++t)
    for (size_t i = 0; i < a[t].size(); ++i)
      for (size_t j = 0; j < c[t].size(); ++j) out[i][j] += (a[t][i] - b[t][i]) * c[t][j];
  return out;
}

void check_close(const Matrix& is, const Rows& sum, size_t sequences) {
  REQUIRE(is.rows() == sum.size());
  REQUIRE(is.columns() == sum[0].size());
  double largest = 0, error = 0;
  for (size_t i = 0; i < is.rows(); ++i)
    for (size_t j = 0; j < is.columns(); ++j) {
      const double expected = sum[i][j] * 2 / double(sequences);
      largest = std::max(largest, std::abs(expected));
      error = std::max(error, std::abs(double(is(i, j)) - expected));
    }
  CHECK(largest > 0);
  CHECK(error < 2e-4 * largest);  // differences of F32 sums
}

}  // namespace

TEST_CASE("two models' inputs against F64, the same for any thread count") {
  TemporaryFolder folder, other_folder;
  const TinyModel tiny = random_tiny_model(3), other = changed(tiny);
  const auto model = opened(tiny, folder), quantized = opened(other, other_folder);
  const size_t length = 30, sequences = 140;  // two batches
  const auto tokens = random_tokens(length * sequences, 37, 4);
  Rows stream[2], inputs[2][4], middle[2];  // original, quantized
  for (size_t i = 0; i < sequences; ++i) {
    const auto at = tokens.begin() + long(i * length);
    for (const int which : {0, 1}) {
      const TinyModel& m = which ? other : tiny;
      const Rows x = naive_layer(m, 0, naive_embed(m, {at, at + long(length)})).output;
      const NaiveLayer layer = naive_layer(m, 1, x);
      const auto add = [](Rows& to, const Rows& from) { to.insert(to.end(), from.begin(), from.end()); };
      add(stream[which], x);
      for (size_t input = 0; input < 4; ++input)
        add(inputs[which][input], input_of(layer, LinearInput(input)));
      Rows between =
          naive_linear(layer.attention_output, m.tensors.at("model.layers.1.self_attn.o_proj.weight"));
      for (size_t t = 0; t < length; ++t)
        for (size_t j = 0; j < x[t].size(); ++j) between[t][j] += x[t][j];
      add(middle[which], between);
    }
  }
  for (const LinearInput input :
       {LinearInput::Attention, LinearInput::AttentionOutput, LinearInput::Mlp, LinearInput::MlpHidden}) {
    CAPTURE(int(input));
    std::vector<PairedInput> results;
    for (const size_t threads : {1, 3}) {
      ThreadPool pool(threads);
      ForwardBuffers buffers;
      Activations x0 = embedded(*model, tokens, length, pool), x = embedded(*quantized, tokens, length, pool);
      REQUIRE(advance(loaded(*model, 0, pool), x0, buffers, pool).ok());
      REQUIRE(advance(loaded(*quantized, 0, pool), x, buffers, pool).ok());
      const DecoderLayer before = loaded(*model, 1, pool), now = loaded(*quantized, 1, pool);
      size_t seen = 0;
      auto result = collect_paired({before, x0, now, x}, input, buffers, pool,
                                   [&](size_t done, size_t) { seen = done; });
      REQUIRE(result.ok());
      CHECK(seen == sequences);
      results.push_back(std::move(result).value());
    }
    const auto same = [](const Matrix& a, const Matrix& b) {
      return std::ranges::equal(std::span(a.data(), a.size()), std::span(b.data(), b.size()));
    };
    CHECK(same(results[0].hessian, results[1].hessian));
    CHECK(same(results[0].cross, results[1].cross));
    CHECK(same(results[0].residual, results[1].residual));
    const Rows &was = inputs[0][size_t(input)], &is = inputs[1][size_t(input)];
    const Rows zero(is.size(), std::vector<double>(is[0].size()));
    check_close(results[0].hessian, products(is, zero, is), sequences);
    check_close(results[0].cross, products(was, is, is), sequences);
    if (input == LinearInput::AttentionOutput)
      check_close(results[0].residual, products(stream[0], stream[1], is), sequences);
    else if (input == LinearInput::MlpHidden)
      check_close(results[0].residual, products(middle[0], middle[1], is), sequences);
    else
      CHECK(results[0].residual.size() == 0);
  }
}

TEST_CASE("two models that are the same differ nowhere") {
  TemporaryFolder folder;
  const auto model = opened(random_tiny_model(3), folder);
  ThreadPool pool(2);
  ForwardBuffers buffers;
  const auto tokens = random_tokens(200, 37, 4);
  const Activations x = embedded(*model, tokens, 20, pool), x0 = embedded(*model, tokens, 20, pool);
  const DecoderLayer layer = loaded(*model, 0, pool);
  const auto hessians = collect_hessians(layer, x, buffers, pool);
  for (size_t input = 0; input < kLinearInputs; ++input) {
    const auto paired = collect_paired({layer, x0, layer, x}, LinearInput(input), buffers, pool);
    REQUIRE(paired.ok());
    const PairedInput& p = paired.value();
    const Matrix& h = hessians.value().by_input[input];
    CHECK(std::memcmp(p.hessian.data(), h.data(), h.size() * sizeof(float)) == 0);
    for (size_t i = 0; i < p.cross.size(); ++i) CHECK(p.cross.data()[i] == 0.0f);
    for (size_t i = 0; i < p.residual.size(); ++i) CHECK(p.residual.data()[i] == 0.0f);
  }
}

TEST_CASE("corrected weights solve the damped normal equations, whatever the order; dead columns stay") {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  const size_t rows = 70, columns = 90, count = 400;
  const auto filled = [&](size_t m, size_t n) {
    Matrix out(m, n);
    for (size_t i = 0; i < out.size(); ++i) out.data()[i] = normal(random);
    return out;
  };
  Matrix x = filled(count, columns);
  for (size_t t = 0; t < count; ++t) x(t, 7) = 0;  // dead
  const Matrix weight = filled(rows, columns), difference = filled(count, columns),
               stream = filled(count, rows);
  ThreadPool pool(2);
  Matrix hessian(columns, columns), cross(columns, columns), residual(rows, columns);
  add_gram(1, x.view(), hessian.view(), pool);
  add_products(1, difference.view(), x.view(), cross.view(), pool);
  add_products(1, stream.view(), x.view(), residual.view(), pool);
  for (const bool ordered : {false, true})
    for (const double share : {1.0, 0.5}) {
      auto factor = factorize(hessian, {.damping = 0.05, .descending_order = ordered}, pool);
      REQUIRE(factor.ok());
      const Matrix target = corrected(weight, cross, residual, share, factor.value(), pool);
      // (target - W) (H + damp I) = share (W C + D)
      double mean = 1;  // of the dead column
      for (size_t j = 0; j < columns; ++j) mean += hessian(j, j);
      const double damp = 0.05 * mean / double(columns);
      for (size_t r = 0; r < rows; ++r)
        for (size_t j = 0; j < columns; ++j) {
          double left = damp * (double(target(r, j)) - weight(r, j)), right = residual(r, j);
          for (size_t k = 0; k < columns; ++k) {
            left += (double(target(r, k)) - weight(r, k)) * hessian(k, j);
            right += double(weight(r, k)) * cross(k, j);
          }
          CHECK(left == doctest::Approx(share * right).epsilon(1e-3).scale(300));
        }
      for (size_t r = 0; r < rows; ++r) CHECK(target(r, 7) == weight(r, 7));
      const Matrix none = corrected(weight, Matrix(columns, columns), {}, share, factor.value(), pool);
      CHECK(std::memcmp(none.data(), weight.data(), weight.size() * sizeof(float)) == 0);
    }
}
