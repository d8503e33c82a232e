// rtn on the card: the CPU's bytes with every option, the golden weights, and what is refused.
#include <doctest/doctest.h>

#include <limits>

#include "both_ends.h"

using namespace signum;

TEST_CASE("rtn gives the CPU's bytes with every option") {
  const Problem p = special_problem(37, 131, 1);
  for (const DType type : {DType::F16, DType::F32, DType::BF16})
    for (const int bits : {1, 2, 3, 5, 8})
      for (const long group : {-1L, 8L, 50L})
        for (const bool symmetric : {false, true})
          for (const bool clip_search : {false, true}) {
            if (symmetric && bits == 1) continue;
            Recipe recipe;
            recipe.scale_type = type;
            recipe.bits = bits;
            recipe.group = group;
            recipe.symmetric = symmetric;
            recipe.clip_search = clip_search;
            CAPTURE(bits);
            CAPTURE(group);
            CAPTURE(symmetric);
            CAPTURE(clip_search);
            ThreadPool pool(1);
            const PackedLinear cpu = quantize(recipe, p.weight.clone(), nullptr, pool).value();
            const auto card = quantized_on_card(recipe, p.weight, nullptr);
            REQUIRE(card.ok());
            CHECK(same(cpu, card.value()));
          }
}

TEST_CASE("rtn of long rows, in both orders of threads") {
  const Problem p = special_problem(9, 700, 2);
  Recipe recipe;
  recipe.clip_search = true;
  ThreadPool pool(1);
  const PackedLinear cpu = quantize(recipe, p.weight.clone(), nullptr, pool).value();
  in_both_orders([&] { CHECK(same(cpu, quantized_on_card(recipe, p.weight, nullptr).value())); });
}

TEST_CASE("rtn equals the golden weights") {
  for (const char* layer : golden::kLayers) {
    const auto file = golden::open_layer(layer);
    for (const golden::Case& c : golden::exact_cases()) {
      if (c.recipe.method != Method::Rtn) continue;
      CAPTURE(layer);
      CAPTURE(c.key);
      CHECK(compare_on_card(*file, c).worst <= 2e-5);
    }
  }
}

TEST_CASE("what the CPU refuses is refused in the same words") {
  const Recipe recipe;
  ThreadPool pool(1);
  const auto same_error = [&](const Recipe& one, const Matrix& weight) {
    const auto cpu = quantize(one, weight.clone(), nullptr, pool),
               card = quantized_on_card(one, weight, nullptr);
    REQUIRE(!cpu.ok());
    REQUIRE(!card.ok());
    CHECK(card.error().code == cpu.error().code);
    CHECK(card.error().message == cpu.error().message);
  };
  Matrix weight(40, 64);
  for (size_t i = 0; i < weight.size(); ++i) weight.data()[i] = float(i % 7) - 3;
  same_error(recipe, Matrix(0, 5));
  for (const float broken :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Matrix one = weight.clone();
    one(39, 63) = broken;
    same_error(recipe, one);
  }
  Matrix large = weight.clone();
  large(7, 7) = 1e9f;  // its step is beyond F16
  same_error(recipe, large);
  Recipe needs = recipe;
  needs.method = Method::Gptq;
  same_error(needs, weight);
}

TEST_CASE("what a card cannot do is said before a run, and refused") {
  Recipe wide;
  wide.method = Method::SignumRc;
  wide.blocksize = 257;
  CHECK(cuda::unsupported(wide).find("256 columns") != std::string::npos);
  const auto refused = quantized_on_card(wide, Matrix(3, 300), nullptr);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == "recipe_device_unsupported");
  wide.blocksize = 256;
  CHECK(cuda::unsupported(wide).empty());
}
