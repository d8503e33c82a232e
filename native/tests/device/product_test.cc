// Products straight from packed linears on the card against the decoder's dense weights.
#include "cuda/kernels/product.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "both_orders.h"
#include "cuda/kernels/stored_product.h"
#include "device.h"
#include "methods/stored.h"
#include "tests/all_recipes.h"

using namespace signum;

namespace {

Matrix random_matrix(size_t rows, size_t columns, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Matrix x(rows, columns);
  for (size_t i = 0; i < x.size(); ++i) x.data()[i] = normal(random);
  return x;
}

// Largest |y - (W x + z)| over sum |w x| + |z| of all tokens and rows.
double worst_error(const Matrix& dense, const Matrix& x, const Matrix& y, float beta, const Matrix& z) {
  double worst = 0;
  for (size_t t = 0; t < x.rows(); ++t)
    for (size_t r = 0; r < dense.rows(); ++r) {
      double sum = beta == 0 ? 0.0 : double(beta) * double(z(t, r)), size = std::abs(sum) + 1e-30;
      for (size_t j = 0; j < dense.columns(); ++j) {
        const double product = double(dense(r, j)) * double(x(t, j));
        sum += product, size += std::abs(product);
      }
      const double error = std::abs(double(y(t, r)) - sum) / size;
      worst = error <= worst ? worst : error;  // NaN is the worst
    }
  return worst;
}

void check_products(cuda::Card& card, const std::vector<std::pair<std::string, Recipe>>& recipes, size_t rows,
                    size_t columns, ThreadPool& pool) {
  const Problem p = uneven_problem(rows, columns, rows * 1000 + columns);
  for (const auto& [name, recipe] : recipes) {
    CAPTURE(name);
    CAPTURE(rows);
    CAPTURE(columns);
    const PackedLinear packed = run(recipe, p, pool).value();
    const Matrix dense = decode(packed, pool).value();
    const auto on_card = cuda::DevicePacked::upload(card, view_of(packed));
    for (const size_t tokens : {1, 3, 8, 17}) {
      CAPTURE(tokens);
      const float beta = tokens == 3 ? 0.5f : 0.0f;
      const Matrix x = random_matrix(tokens, columns, tokens), z = random_matrix(tokens, rows, tokens + 50);
      const auto x_on_card = cuda::DeviceMatrix::of(card.device, x.view(), "x");
      Matrix first;
      in_both_orders([&] {
        const auto out = cuda::DeviceMatrix::of(card.device, z.view(), "out");
        cuda::multiply(card, on_card, x_on_card.data(), tokens, beta, out.data());
        const Matrix y = out.download(card.device);
        CHECK(worst_error(dense, x, y, beta, z) < 1e-5);
        if (first.size() == 0)
          first = y.clone();
        else
          CHECK(std::memcmp(first.data(), y.data(), y.size() * sizeof(float)) == 0);
      });
    }
  }
}

}  // namespace

TEST_CASE("a product from any layout equals the decoder's") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  ThreadPool pool(2);
  check_products(card, all_recipes(), 70, 300, pool);
}

TEST_CASE("odd sizes, other types of scales, and blocks that fill no whole words") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  ThreadPool pool(2);
  check_products(card, all_recipes(DType::F32), 33, 1, pool);
  check_products(card, all_recipes(DType::BF16), 3, 2, pool);
  check_products(card, ragged_recipes(), 40, 171, pool);
}

TEST_CASE("rows whose words are added up by several blocks, and several blocks of rows") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  ThreadPool pool(2);
  std::vector<std::pair<std::string, Recipe>> few;
  for (const auto& one : all_recipes())
    for (const char* name : {"rtn 1", "rtn group 32", "gptq 3 group 32 ordered", "billm", "pb-llm 1 %",
                             "arb-rc bitmap", "arb-rc, 3 splits", "fdb", "signum-rc third 0.200000"})
      if (one.first == name) few.push_back(one);
  REQUIRE(few.size() == 9);
  check_products(card, few, 290, 600, pool);
}

TEST_CASE("a room serves one product after another") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  ThreadPool pool(2);
  const Problem p = random_problem(70, 600, 3);
  cuda::ProductRoom room;
  for (const auto& [name, recipe] : all_recipes()) {
    if (name != "billm" && name != "fdb" && name != "rtn 3") continue;
    CAPTURE(name);
    const PackedLinear packed = run(recipe, p, pool).value();
    const Matrix dense = decode(packed, pool).value();
    const auto on_card = cuda::DevicePacked::upload(card, view_of(packed));
    const Matrix x = random_matrix(2, 600, 8), none(2, 70);
    const auto x_on_card = cuda::DeviceMatrix::of(card.device, x.view(), "x");
    const cuda::DeviceMatrix out(card.device, 2, 70, "out");
    for (int again = 0; again < 2; ++again) {
      cuda::multiply(card, room, on_card, x_on_card.data(), 2, 0.0f, out.data(), 70);
      CHECK(worst_error(dense, x, out.download(card.device), 0, none) < 1e-5);
    }
  }
  CHECK(room.bytes() > 0);
}

TEST_CASE("narrow codes whose zero is none of them") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  ThreadPool pool(2);
  Recipe recipe;
  recipe.method = Method::Rtn, recipe.bits = 2, recipe.group = 32;
  PackedLinear packed = run(recipe, random_problem(40, 100, 3), pool).value();
  for (PackedTensor& tensor : packed.tensors)
    if (tensor.role == "code_zero") tensor.bytes[5] = 77;
  const Matrix dense = decode(packed, pool).value(), x = random_matrix(1, 100, 8), none(1, 40);
  const auto x_on_card = cuda::DeviceMatrix::of(card.device, x.view(), "x");
  const cuda::DeviceMatrix out(card.device, 1, 40, "out");
  const auto on_card = cuda::DevicePacked::upload(card, view_of(packed));
  cuda::multiply(card, on_card, x_on_card.data(), 1, 0.0f, out.data());
  CHECK(worst_error(dense, x, out.download(card.device), 0, none) < 1e-5);
}

TEST_CASE("a product from a stored matrix equals the exact one, of any type and width") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  for (const auto& [rows, columns] : {std::pair<size_t, size_t>(70, 264), {3, 300}, {33, 1}})
    for (const DType type : {DType::F16, DType::BF16, DType::F32}) {
      const Matrix values = random_matrix(rows, columns, rows);
      ScalarTensor tensor("w", type, {rows, columns});
      Matrix dense(rows, columns);
      for (size_t i = 0; i < dense.size(); ++i) dense.data()[i] = tensor.set(i, values.data()[i]);
      const std::vector<uint8_t> bytes = tensor.take().bytes;
      cuda::Array<uint8_t> stored(card.device, bytes.size(), "w");
      stored.upload(bytes);
      for (const size_t tokens : {1, 3, 8, 17}) {
        CAPTURE(rows);
        CAPTURE(int(type));
        CAPTURE(tokens);
        const float beta = tokens == 3 ? 0.5f : 0.0f;
        const Matrix x = random_matrix(tokens, columns, tokens), z = random_matrix(tokens, rows, tokens + 50);
        const auto x_on_card = cuda::DeviceMatrix::of(card.device, x.view(), "x");
        in_both_orders([&] {
          const auto out = cuda::DeviceMatrix::of(card.device, z.view(), "out");
          cuda::multiply(card, cuda::StoredOnCard{type, stored.data(), rows, columns}, x_on_card.data(),
                         tokens, beta, out.data(), rows);
          CHECK(worst_error(dense, x, out.download(card.device), beta, z) < 1e-5);
        });
      }
    }
}
