// A linear's errors on the card against the CPU's.
#include "cuda/math/errors.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/pool.h"
#include "both_orders.h"
#include "cuda/math/finite.h"
#include "math/linear_algebra.h"
#include "on_card.h"
#include "tests/golden_cases.h"

using namespace signum;

TEST_CASE("errors and power are the CPU's") {
  cuda::Device& device = test_device();
  cuda::Blas blas(device, {});
  cuda::Card card{device, blas};
  ThreadPool pool(2);
  const auto check = [&](const Matrix& weight, const Matrix& decoded, const Matrix& h) {
    const auto weight_card = on_card(weight);
    const auto decoded_card = on_card(decoded);
    const auto h_card = on_card(h);
    const LinearErrors cpu = linear_errors(weight, decoded, &h, pool);
    double first = -1;
    in_both_orders([&] {
      const LinearErrors errors = cuda::linear_errors(card, weight_card, decoded_card, &h_card);
      CHECK(errors.weight == doctest::Approx(cpu.weight).epsilon(1e-12));
      CHECK(errors.output == doctest::Approx(cpu.output).epsilon(1e-5));
      if (first < 0) first = errors.output;
      CHECK(errors.output == first);
    });
    const double power = cuda::output_power(card, weight_card, h_card);
    CHECK(power == doctest::Approx(output_power(weight, h, pool)).epsilon(1e-5));
    const double known = cuda::linear_errors(card, weight_card, decoded_card, &h_card, power).output;
    CHECK(known == first);
    CHECK(std::isnan(cuda::linear_errors(card, weight_card, decoded_card, nullptr).output));
  };
  for (const char* layer : golden::kLayers) {
    CAPTURE(layer);
    const Matrix weight = golden::matrix(*golden::open_layer(layer), "weight");
    const Matrix noise = random_matrix(weight.rows(), weight.columns(), 1);
    Matrix decoded = weight.clone();
    for (size_t i = 0; i < weight.size(); ++i) decoded.data()[i] += 0.01f * noise.data()[i];
    check(weight, decoded, golden::matrix(*golden::open_layer(layer), "hessian"));
  }
  const Matrix wide = random_matrix(6, 600, 2), x = random_matrix(40, 600, 3);
  Matrix h(600, 600);
  add_gram(1, x.view(), h.view(), pool);
  check(wide, random_matrix(6, 600, 4), h);
  check(Matrix(6, 600), Matrix(6, 600), h);
  check(Matrix(6, 600), random_matrix(6, 600, 5), h);
}

TEST_CASE("one number that is not finite is found wherever it is") {
  cuda::Device& device = test_device();
  for (const size_t at : {size_t(0), size_t(700), size_t(8999)})
    for (const float value : {NAN, INFINITY, -INFINITY, 3e38f}) {
      Matrix a = random_matrix(90, 100, 6);
      a.data()[at] = value;
      const auto a_card = on_card(a);
      CHECK(cuda::all_finite(device, a_card.view()) == (value == 3e38f));
    }
}
