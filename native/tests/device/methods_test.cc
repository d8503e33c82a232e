// Every method in every layout by the card's one entry, with the factor that the card made itself.
#include <doctest/doctest.h>

#include "both_ends.h"

using namespace signum;

TEST_CASE("every recipe runs on the card, has the CPU's layout and its output error within 1 %") {
  const Problem p = special_problem(35, 140, 1);
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  for (const auto& [name, recipe] : all_recipes()) {
    CAPTURE(name);
    CHECK(cuda::unsupported(recipe).empty());
    ThreadPool pool(2);
    const PackedLinear cpu = run(recipe, p, pool).value();
    const auto made = cuda::guarded([&] {
      const cuda::DeviceFactor factor = cuda::factorize(card, on_card(p.hessian), factor_options(recipe));
      return cuda::quantize(card, recipe, on_card(p.weight), &factor);
    });
    REQUIRE_MESSAGE(made.ok(), made.error().message);
    const PackedLinear& linear = made.value();
    auto values = decode(linear, pool);
    REQUIRE_MESSAGE(values.ok(), values.error().message);
    CHECK(linear.tensors.size() == cpu.tensors.size());
    CHECK(linear.layout.has_order == cpu.layout.has_order);
    const double own = linear_errors(p.weight, values.value(), &p.hessian, pool).output,
                 its = linear_errors(p.weight, decode(cpu, pool).value(), &p.hessian, pool).output;
    CHECK(own / its == doctest::Approx(1).epsilon(0.01));
  }
}
