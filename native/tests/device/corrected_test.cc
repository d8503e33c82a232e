// The correction's target on the card against the CPU's.
#include "cuda/methods/corrected.h"

#include <doctest/doctest.h>

#include "both_ends.h"
#include "methods/correction.h"

using namespace signum;

TEST_CASE("the corrected weights are the CPU's, with and without a residual, in either order") {
  const size_t m = 45, n = 150;
  Problem p = random_problem(m, n, 1);
  const Matrix cross = random_matrix(n, n, 2, 0.1f), residual = random_matrix(m, n, 3, 0.1f);
  ThreadPool pool(2);
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  for (const bool ordered : {false, true})
    for (const bool with_residual : {false, true}) {
      const Factor factor =
          factorize(p.hessian, {.damping = 0.01, .descending_order = ordered}, pool).value();
      const Matrix expected =
          corrected(p.weight, cross, with_residual ? residual.clone() : Matrix(), 0.7, factor, pool);
      in_both_orders([&] {
        const Matrix got = from_card(cuda::corrected(card, on_card(p.weight), on_card(cross),
                                                     with_residual ? on_card(residual) : cuda::DeviceMatrix(),
                                                     0.7, on_card(factor)));
        CHECK(apart(got, expected) <= 1e-4);
      });
    }
}
