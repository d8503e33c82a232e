// What must hold for every method: shapes at the edges, the same bytes for any thread count, stored
// precision, refused input.
#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <cmath>
#include <random>
#include <set>

#include "base/pool.h"
#include "math/finite.h"
#include "math/linear_algebra.h"
#include "methods/quantize.h"
#include "methods/stored.h"
#include "tests/all_recipes.h"

using namespace signum;

TEST_CASE("every method packs what its rules say and decodes to something near, at any shape") {
  ThreadPool pool(2);
  const std::pair<size_t, size_t> shapes[] = {{1, 1},    {1, 40},   {33, 1},  {3, 2},
                                              {17, 129}, {70, 172}, {16, 300}};
  for (const auto& [rows, columns] : shapes) {
    const Problem p = random_problem(rows, columns, rows * 1000 + columns);
    for (const auto& [name, recipe] : all_recipes()) {
      CAPTURE(name);
      CAPTURE(rows);
      CAPTURE(columns);
      auto linear = run(recipe, p, pool);
      REQUIRE(linear.ok());
      size_t bytes = 0;
      for (const TensorRule& rule : tensor_rules(linear.value().layout)) {
        const PackedTensor* tensor = linear.value().find(rule.role);
        REQUIRE(tensor);
        CHECK(tensor->dtype == rule.dtype);
        CHECK(tensor->shape == rule.shape);
        bytes += tensor->bytes.size();
      }
      CHECK(linear.value().tensors.size() == tensor_rules(linear.value().layout).size());
      CHECK(linear.value().bytes() == bytes);
      auto decoded = decode(linear.value(), pool);
      REQUIRE(decoded.ok());
      CHECK(all_finite(decoded.value().view(), pool));
      const LinearErrors errors = linear_errors(p.weight, decoded.value(), &p.hessian, pool);
      CHECK(errors.output < 1.5);
      CHECK(layout_to_json(layout_from_json("x", layout_to_json(linear.value().layout)).value()) ==
            layout_to_json(linear.value().layout));
    }
  }
}

TEST_CASE("the same bytes for 1, 2 and 5 threads") {
  ThreadPool one(1), two(2), five(5);
  const Problem p = random_problem(300, 290, 3);
  for (const auto& [name, recipe] : all_recipes()) {
    CAPTURE(name);
    const auto a = run(recipe, p, one), b = run(recipe, p, two), c = run(recipe, p, five);
    REQUIRE((a.ok() && b.ok() && c.ok()));
    CHECK(same(a.value(), b.value()));
    CHECK(same(a.value(), c.value()));
  }
}

TEST_CASE("every SIMD target gives the same quality") {
  ThreadPool pool(2);
  const Problem p = random_problem(64, 288, 4);
  const int64_t present = hwy::SupportedTargets() & HWY_TARGETS;
  size_t targets = 0;
  for (const auto& [name, recipe] : all_recipes(DType::F32)) {
    CAPTURE(name);
    double best = 0;
    for (int64_t left = present; left; left &= left - 1) {
      hwy::SetSupportedTargetsForTest(left & -left);
      hwy::GetChosenTarget().Update(hwy::SupportedTargets());
      auto linear = run(recipe, p, pool);
      REQUIRE(linear.ok());
      const double error =
          linear_errors(p.weight, decode(linear.value(), pool).value(), &p.hessian, pool).output;
      if (best == 0) best = error;
      CAPTURE(hwy::TargetName(left & -left));
      CHECK(error == doctest::Approx(best).epsilon(recipe.method == Method::SignumRc ||
                                                           recipe.method == Method::Gptq ||
                                                           recipe.method == Method::PbLlm
                                                       ? 0.01
                                                       : 1e-3));
      ++targets;
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  MESSAGE("recipes x targets run: " << targets);
}

TEST_CASE("zero rows, constant rows, dead columns and a dead block are no trouble") {
  ThreadPool pool(2);
  Problem p = random_problem(40, 300, 5);
  for (size_t j = 0; j < 300; ++j) {
    p.weight(0, j) = 0;
    p.weight(1, j) = 0.25f;
    p.weight(2, j) = j % 2 ? 0.5f : -0.5f;
  }
  for (size_t j = 128; j < 256; ++j)
    for (size_t i = 0; i < 300; ++i) p.hessian(i, j) = p.hessian(j, i) = 0;
  for (const auto& [name, recipe] : all_recipes()) {
    CAPTURE(name);
    auto linear = run(recipe, p, pool);
    REQUIRE(linear.ok());
    auto decoded = decode(linear.value(), pool);
    REQUIRE(decoded.ok());
    CHECK(all_finite(decoded.value().view(), pool));
    CHECK(linear_errors(p.weight, decoded.value(), &p.hessian, pool).output < 1);
  }
}

TEST_CASE("an input that calibration never reached keeps its weights' shape") {
  ThreadPool pool(1);
  Problem p = random_problem(24, 160, 6);
  p.hessian = Matrix(160, 160);
  for (const auto& [name, recipe] : all_recipes()) {
    CAPTURE(name);
    auto linear = run(recipe, p, pool);
    REQUIRE(linear.ok());
    CHECK(linear_errors(p.weight, decode(linear.value(), pool).value(), nullptr, pool).weight < 1.1);
  }
}

TEST_CASE("scales are rounded before errors are propagated: decoding is what the method saw") {
  ThreadPool pool(2);
  const Problem p = random_problem(48, 256, 7);
  for (const auto& [name, recipe] : all_recipes(DType::BF16)) {
    CAPTURE(name);
    Recipe exact = recipe;
    exact.scale_type = DType::F32;
    const auto coarse = run(recipe, p, pool), fine = run(exact, p, pool);
    REQUIRE((coarse.ok() && fine.ok()));
    CHECK(coarse.value().bytes() < fine.value().bytes());
    const double a = linear_errors(p.weight, decode(coarse.value(), pool).value(), &p.hessian, pool).output;
    const double b = linear_errors(p.weight, decode(fine.value(), pool).value(), &p.hessian, pool).output;
    CHECK(a == doctest::Approx(b).epsilon(0.05));
  }
}

TEST_CASE("a permutation of the rows permutes the result") {
  ThreadPool pool(2);
  const Problem p = random_problem(50, 200, 8);
  Problem q{Matrix(50, 200), p.hessian.clone()};
  for (size_t i = 0; i < 50; ++i) std::copy_n(p.weight.row((i * 7) % 50), 200, q.weight.row(i));
  for (const auto& [name, recipe] : all_recipes(DType::F32)) {
    if (recipe.method == Method::SignumRc) continue;  // a sum in another order may turn a sign: quality only
    CAPTURE(name);
    const Matrix a = decode(run(recipe, p, pool).value(), pool).value(),
                 b = decode(run(recipe, q, pool).value(), pool).value();
    double worst = 0;
    for (size_t i = 0; i < 50; ++i)
      for (size_t j = 0; j < 200; ++j)
        worst = std::max(worst, double(std::fabs(a((i * 7) % 50, j) - b(i, j))));
    const bool exact = recipe.method == Method::Rtn || recipe.method == Method::Gptq ||
                       recipe.method == Method::Fdb || recipe.method == Method::PbLlm;
    CHECK(worst <= (exact ? 0.0 : 2e-5 * 0.25));
  }
}

TEST_CASE("signum-rc: rows in another order leave the same output error within 1 %") {
  ThreadPool pool(2);
  const Problem p = uneven_problem(50, 200, 18);
  Problem q{Matrix(50, 200), p.hessian.clone()};
  for (size_t i = 0; i < 50; ++i) std::copy_n(p.weight.row((i * 7) % 50), 200, q.weight.row(i));
  for (const auto& [name, recipe] : all_recipes()) {
    if (recipe.method != Method::SignumRc) continue;
    CAPTURE(name);
    const auto error = [&](const Problem& problem) {
      const Matrix decoded = decode(run(recipe, problem, pool).value(), pool).value();
      return linear_errors(problem.weight, decoded, &problem.hessian, pool).output;
    };
    CHECK(error(p) == doctest::Approx(error(q)).epsilon(0.01));
  }
}

TEST_CASE("weights that are not finite are refused") {
  ThreadPool pool(1);
  Problem p = random_problem(4, 40, 9);
  p.weight(3, 39) = INFINITY;
  for (const auto& [name, recipe] : all_recipes()) {
    const auto refused = run(recipe, p, pool);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == "weights_not_finite");
  }
}

TEST_CASE("scales that do not fit F16 are refused, and fit F32 and BF16") {
  ThreadPool pool(1);
  Problem p = random_problem(20, 96, 14);
  for (size_t i = 0; i < p.weight.size(); ++i) p.weight.data()[i] *= 1e8f;
  for (const DType type : {DType::F16, DType::BF16, DType::F32})
    for (const auto& [name, recipe] : all_recipes(type)) {
      CAPTURE(name);
      const auto result = run(recipe, p, pool);
      REQUIRE(result.ok() == (type != DType::F16));
      if (!result.ok()) CHECK(result.error().code == "scales_overflow");
    }
}

TEST_CASE("recipes are read whole or refused with the key and its range") {
  const std::string good =
      R"({"method":"billm","parameters":{"salience":"hessian","blocksize":128,"correction":0,"damping":0.01,"search_space":"saliency","max_salient":50,"scale_type":"f16"}})";
  REQUIRE(recipe_from_json(good).ok());
  CHECK(recipe_from_json(good).value().blocksize == 128);
  const auto message = [](const std::string& text) {
    const auto result = recipe_from_json(text);
    REQUIRE(!result.ok());
    CHECK(result.error().code == "recipe_invalid");
    return result.error().message;
  };
  CHECK(message("[]") == "A recipe must have a method and its parameters.");
  CHECK(message(R"({"method":"blim","parameters":{}})") == "There is no method 'blim'.");
  CHECK(
      message(
          R"({"method":"rtn","parameters":{"scale_type":"f16","bits":9,"group":-1,"symmetric":false,"clip_search":false}})") ==
      "The parameter 'bits' must be there and be 1 to 8.");
  CHECK(message(R"({"method":"rtn","parameters":{"scale_type":"f16","bits":2}})") ==
        "The parameter 'group' must be there and be -1 or 8 to 1048576.");
  CHECK(
      message(
          R"({"method":"rtn","parameters":{"scale_type":"f64","bits":2,"group":-1,"symmetric":false,"clip_search":false}})") ==
      "The parameter 'scale_type' must be there and be one of f16, f32, bf16.");
  CHECK(
      message(
          R"({"method":"rtn","parameters":{"scale_type":"f16","bits":2,"group":-1,"symmetric":false,"clip_search":false,"extra":1}})") ==
      "The method has no parameter 'extra'.");
}

TEST_CASE("a decoder refuses tensors that do not fit the layout") {
  ThreadPool pool(1);
  const Problem p = random_problem(8, 64, 10);
  for (const auto& [name, recipe] : all_recipes()) {
    CAPTURE(name);
    const PackedLinear good = run(recipe, p, pool).value();
    for (size_t i = 0; i < good.tensors.size(); ++i) {
      PackedLinear missing = good, shorter = good;
      missing.tensors.erase(missing.tensors.begin() + long(i));
      shorter.tensors[i].bytes.pop_back();
      REQUIRE(!decode(missing, pool).ok());
      CHECK(decode(missing, pool).error().code == "packed_broken");
      CHECK(!decode(shorter, pool).ok());
    }
    PackedLinear turned = good;
    turned.layout.has_order = !turned.layout.has_order;
    CHECK(!decode(turned, pool).ok());
  }
}

TEST_CASE("bit planes of 16 rows equal those written bit by bit") {
  std::mt19937_64 random(12);
  for (const size_t column : {0u, 3u, 8u})
    for (const size_t width : {1u, 7u, 8u, 21u, 32u})
      for (const size_t rows : {1u, 8u, 13u, 16u}) {
        std::vector<uint16_t> masks(width);
        for (auto& m : masks) m = uint16_t(random());
        BitPlane fast("p", 20, 48), slow("p", 20, 48);
        fast.put(2, rows, column, masks.data(), width);
        for (size_t j = 0; j < width; ++j)
          for (size_t r = 0; r < rows; ++r)
            if (masks[j] >> r & 1) slow.set(2 + r, column + j);
        CHECK(fast.take().bytes == slow.take().bytes);
      }
}

TEST_CASE("column orders are stored in the smallest type and read back, or refused") {
  const std::vector<uint32_t> order = {2, 0, 1};
  const PackedTensor tensor = order_tensor(order);
  CHECK(tensor.dtype == DType::U16);
  CHECK(order_from_tensor(tensor.dtype, 3, tensor.bytes.data(), 6).value() == order);
  CHECK(order_tensor(std::vector<uint32_t>(65536)).dtype == DType::U32);
  const uint16_t twice[] = {1, 1, 0}, outside[] = {0, 1, 3};
  CHECK(!order_from_tensor(DType::U16, 3, reinterpret_cast<const uint8_t*>(twice), 6).ok());
  CHECK(!order_from_tensor(DType::U16, 3, reinterpret_cast<const uint8_t*>(outside), 6).ok());
}
