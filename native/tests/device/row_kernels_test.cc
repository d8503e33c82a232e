// Rows on the card against the CPU's row operations.
#include "cuda/model/row_kernels.h"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

#include "base/half.h"
#include "model/rotary.h"
#include "model/row_operations.h"
#include "on_card.h"

using namespace signum;

namespace {

cuda::Array<float> vector_on_card(const Matrix& vector) {
  cuda::Array<float> made(test_device(), vector.size(), "a test");
  made.upload(std::span<const float>(vector.data(), vector.size()));
  return made;
}

}  // namespace

TEST_CASE("norms of any width are the CPU's") {
  in_both_orders([] {
    for (const size_t n : {size_t(1), size_t(31), size_t(300), size_t(512), size_t(1100), size_t(4096)}) {
      CAPTURE(n);
      const size_t rows = n > 1000 ? 3 : 11;
      Matrix x = random_matrix(rows, n, uint32_t(n), 3);
      for (size_t j = 0; j < n; ++j) x(0, j) += 100;  // a mean far from 0
      const Matrix gain = random_matrix(1, n, uint32_t(n + 1)), bias = random_matrix(1, n, uint32_t(n + 2));
      const auto gain_there = vector_on_card(gain), bias_there = vector_on_card(bias);
      for (const bool mean : {false, true}) {
        Matrix expected(rows, n);
        for (size_t r = 0; r < rows; ++r)
          if (mean)
            layer_norm(x.row(r), gain.data(), bias.data(), 1e-5, expected.row(r), n);
          else
            rms_norm(x.row(r), gain.data(), 1e-5, expected.row(r), n);
        const auto there = on_card(x);
        apply_norm(test_device(), cuda::NormView{gain_there.data(), mean ? bias_there.data() : nullptr, 1e-5},
                   there.view(), there.view());
        const Matrix got = from_card(there);
        for (size_t r = 0; r < rows; ++r)
          CHECK(apart(got.view().block(r, 0, 1, n), expected.view().block(r, 0, 1, n)) <
                (mean && n <= 31 ? 2e-5 : 2e-6));
      }
    }
  });
}

TEST_CASE("activations, biases, caps, scales") {
  const size_t rows = 7, n = 1500;
  const Matrix x = random_matrix(rows, 2 * n, 1, 4);
  for (const MlpKind kind : {MlpKind::SiluGated, MlpKind::GeluTanhGated, MlpKind::Relu}) {
    Matrix expected = Matrix::copy_of(x.view().block(0, 0, rows, n));
    for (size_t r = 0; r < rows; ++r) {
      float* row = expected.row(r);
      if (kind == MlpKind::SiluGated) silu_multiply(row, x.row(r) + n, row, n);
      if (kind == MlpKind::GeluTanhGated) gelu_tanh_multiply(row, x.row(r) + n, row, n);
      if (kind == MlpKind::Relu) relu(row, n);
    }
    const auto there = on_card(x);
    const cuda::DeviceMatrix out(test_device(), rows, n, "a test");
    activate(test_device(), kind, there.view(), out.view());
    CHECK(apart(from_card(out), expected) < 1e-6);
    activate(test_device(), kind, there.view(), there.view().block(0, 0, rows, n));
    CHECK(apart(from_card(there).view().block(0, 0, rows, n), expected.view()) < 1e-6);
  }

  Matrix expected = Matrix::copy_of(x.view());
  const auto there = on_card(x);
  const Matrix y = random_matrix(rows, 2 * n, 2), positions = random_matrix(6, 2 * n, 3);
  const auto bias = vector_on_card(Matrix::copy_of(y.view().block(0, 0, 1, 2 * n)));
  const auto y_there = on_card(y), positions_there = on_card(positions);
  add_bias(test_device(), there.view(), bias.data());
  add_rows(test_device(), there.view(), y_there.view());
  scale_rows(test_device(), there.view(), 1.7f);
  soft_cap(test_device(), there.view(), 2.5f);
  add_positions(test_device(), there.view(), positions_there.view(), {.length = 3, .past = 2});
  for (size_t r = 0; r < rows; ++r) {
    add_row(expected.row(r), y.row(0), 2 * n);
    add_row(expected.row(r), y.row(r), 2 * n);
    scale_row(expected.row(r), 1.7f, 2 * n);
    soft_cap(expected.row(r), 2.5f, 2 * n);
    add_row(expected.row(r), positions.row(2 + r % 3), 2 * n);
  }
  CHECK(apart(from_card(there), expected) < 1e-6);
  subtract_rows(test_device(), there.view(), there.view());
  CHECK(apart(from_card(there), Matrix(rows, 2 * n)) == 0);
}

TEST_CASE("heads: norm, then rotary position of the token in its sequence") {
  in_both_orders([] {
    for (const size_t dim : {size_t(10), size_t(64), size_t(96), size_t(256)}) {
      CAPTURE(dim);
      const size_t heads = 3, length = 5, rows = 2 * length, past = 4;
      const Matrix x = random_matrix(rows, heads * dim + 7, uint32_t(dim), 2);
      const Matrix gain = random_matrix(1, dim, 9), bias = random_matrix(1, dim, 10);
      const RotaryTable table = rotary_table(past + length, dim, Rope{.theta = 10000});
      const auto cosine = on_card(table.cosine), sine = on_card(table.sine);
      const auto gain_there = vector_on_card(gain), bias_there = vector_on_card(bias);
      cuda::Array<uint32_t> past_there(test_device(), 1, "a test");
      past_there.upload(std::vector<uint32_t>{uint32_t(past)});
      for (int form = 0; form < 4; ++form) {  // no norm, rms, with a mean, no positions
        Matrix expected = Matrix::copy_of(x.view());
        for (size_t r = 0; r < rows; ++r)
          for (size_t h = 0; h < heads; ++h) {
            float* head = expected.row(r) + h * dim;
            if (form == 1 || form == 3) rms_norm(head, gain.data(), 1e-6, head, dim);
            if (form == 2) layer_norm(head, gain.data(), bias.data(), 1e-6, head, dim);
            const size_t position = past + r % length;
            if (form != 3) rotate_halves(head, table.cosine.row(position), table.sine.row(position), dim / 2);
          }
        cuda::HeadChange change;
        if (form > 0) change.norm = {gain_there.data(), form == 2 ? bias_there.data() : nullptr, 1e-6};
        if (form != 3) change.cosine = cosine.data(), change.sine = sine.data();
        for (const bool on_the_card : {false, true}) {
          const auto there = on_card(x);
          place_heads(test_device(), change, there.view().block(0, 0, rows, heads * dim), dim,
                      {.length = length,
                       .past = on_the_card ? 0 : past,
                       .past_on_card = on_the_card ? past_there.data() : nullptr});
          CHECK(apart(from_card(there), expected) < 2e-6);
        }
      }
    }
  });
}

TEST_CASE("rows of tables as they are stored") {
  const size_t rows = 20, columns = 70;
  const Matrix table = random_matrix(rows, columns, 5);
  const std::vector<uint32_t> ids = {3, 19, 0, 3};
  cuda::Array<uint32_t> ids_there(test_device(), ids.size(), "a test");
  ids_there.upload(ids);
  const cuda::DeviceMatrix out(test_device(), ids.size(), columns, "a test");
  for (const DType dtype : {DType::F16, DType::BF16, DType::F32}) {
    std::vector<uint16_t> bits(table.size());
    Matrix expected(ids.size(), columns);
    for (size_t i = 0; i < bits.size(); ++i)
      bits[i] = dtype == DType::F16 ? float_to_half(table.data()[i]) : float_to_bfloat(table.data()[i]);
    for (size_t r = 0; r < ids.size(); ++r)
      for (size_t c = 0; c < columns; ++c) {
        const uint16_t stored = bits[ids[r] * columns + c];
        expected(r, c) = dtype == DType::F16    ? half_to_float(stored)
                         : dtype == DType::BF16 ? bfloat_to_float(stored)
                                                : table(ids[r], c);
      }
    cuda::Array<uint16_t> bits_there(test_device(), bits.size(), "a test");
    bits_there.upload(bits);
    const auto floats = on_card(table);
    const void* stored = dtype == DType::F32 ? static_cast<const void*>(floats.data()) : bits_there.data();
    gather_rows(test_device(), stored, dtype, ids_there.data(), out.view());
    CHECK(apart(from_card(out), expected) == 0);
  }
}

TEST_CASE("one number that is not finite is found, wherever it is") {
  cuda::Array<uint32_t> finite(test_device(), 1, "a test");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::max()}) {
    Matrix x = random_matrix(3, 1300, 6);
    x(2, 1299) = bad;
    const auto there = on_card(x);
    finite.upload(std::vector<uint32_t>{1});
    check_finite(test_device(), there.view(), finite.data());
    CHECK(finite.download()[0] == uint32_t(std::isfinite(bad)));
    finite.upload(std::vector<uint32_t>{1});
    check_finite(test_device(), there.view().block(0, 0, 3, 1299), finite.data());
    CHECK(finite.download()[0] == 1);
  }
}
