// Every method at widths of 1 to 300 columns and blocks of 32 to 256, and the bytes that pre-flight counts
// on.
#include <doctest/doctest.h>

#include "base/pool.h"
#include "math/finite.h"
#include "run/preflight.h"
#include "tests/all_recipes.h"

using namespace signum;

TEST_CASE("every method at widths of 1 to 300, in blocks of 32 to 256, with 2 salient columns and more") {
  ThreadPool pool(2);
  for (size_t columns = 1; columns <= 300; ++columns) {
    const Problem p = uneven_problem(1 + columns * 7 % 37, columns, columns);
    size_t index = columns;
    for (auto [name, recipe] : all_recipes()) {
      if (++index % 3 != 0) continue;  // a third of the recipes at each width, other ones at the next
      recipe.blocksize = 32 + index * 53 % 225;
      recipe.max_salient = std::min(2 + index * 31 % 255, recipe.blocksize);
      CAPTURE(name);
      CAPTURE(columns);
      CAPTURE(recipe.blocksize);
      CAPTURE(recipe.max_salient);
      const auto linear = run(recipe, p, pool);
      REQUIRE(linear.ok());
      CHECK(linear.value().bytes() <= packed_bytes(recipe, p.weight.rows(), columns));
      const auto decoded = decode(linear.value(), pool);
      REQUIRE(decoded.ok());
      CHECK(all_finite(decoded.value().view(), pool));
      CHECK(linear_errors(p.weight, decoded.value(), &p.hessian, pool).output < 1.5);
      if (!has_salient_columns(recipe.method)) continue;
      for (size_t block = 0; block < linear.value().layout.blocks(); ++block) {
        size_t salient = 0;
        const size_t end = std::min(columns, (block + 1) * recipe.blocksize);
        for (size_t j = block * recipe.blocksize; j < end; ++j)
          salient += linear.value().find("salient")->bytes[j / 8] >> (j % 8) & 1;
        CHECK(salient >= 1);
        CHECK(salient <= recipe.max_salient);
      }
    }
  }
}
