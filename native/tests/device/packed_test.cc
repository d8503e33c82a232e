// Packed linears on the card: decoded to the CPU's bits.
#include <doctest/doctest.h>

#include <cstring>

#include "cuda/kernels/decode.h"
#include "device.h"
#include "tests/all_recipes.h"

using namespace signum;

namespace {

void check_decoded(cuda::Card& card, const std::vector<std::pair<std::string, Recipe>>& recipes, size_t rows,
                   size_t columns, ThreadPool& pool) {
  const Problem p = uneven_problem(rows, columns, rows * 1000 + columns);
  for (const auto& [name, recipe] : recipes) {
    CAPTURE(name);
    CAPTURE(rows);
    CAPTURE(columns);
    const auto packed = run(recipe, p, pool);
    REQUIRE(packed.ok());
    const Matrix expected = decode(packed.value(), pool).value();
    const Matrix got = cuda::decode(card, view_of(packed.value())).download(card.device);
    CHECK(std::memcmp(got.data(), expected.data(), expected.size() * sizeof(float)) == 0);
  }
}

}  // namespace

TEST_CASE("every layout is decoded to the CPU's bits") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  ThreadPool pool(2);
  check_decoded(card, all_recipes(), 70, 172, pool);
  check_decoded(card, all_recipes(DType::F32), 33, 1, pool);
  check_decoded(card, all_recipes(DType::BF16), 3, 300, pool);
}

TEST_CASE("blocks and groups that fill no whole words") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  ThreadPool pool(2);
  check_decoded(card, ragged_recipes(), 40, 171, pool);
}

TEST_CASE("what a packed linear takes on the card is counted, and its rows are looked up") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  ThreadPool pool(2);
  Recipe recipe;
  recipe.bits = 4, recipe.group = 64;
  const PackedLinear packed = run(recipe, random_problem(96, 128, 1), pool).value();
  const uint64_t before = card.device.used_bytes();
  const auto on_card = cuda::DevicePacked::upload(card, view_of(packed));
  CHECK(card.device.used_bytes() - before == on_card.bytes());
  CHECK(on_card.bytes() == 96 * 64 + 96 * 2 * 3 + 128 * 4);  // codes, steps and zeros, places of the inputs
  const Matrix all = decode(packed, pool).value();
  const std::vector<uint32_t> rows = {95, 3, 3};
  cuda::Array<uint32_t> numbers(card.device, rows.size(), "rows");
  numbers.upload(rows);
  cuda::DeviceMatrix out(card.device, rows.size(), 128, "rows");
  cuda::look_up(card.device, on_card, numbers.data(), rows.size(), out.data());
  const Matrix got = out.download(card.device);
  for (size_t k = 0; k < rows.size(); ++k)
    CHECK(std::memcmp(got.row(k), all.row(rows[k]), 128 * sizeof(float)) == 0);
}
