// One linear quantized on the CPU and on the card, from the same factor.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "cuda/methods/quantize.h"
#include "device_factor.h"
#include "tests/all_recipes.h"
#include "tests/golden_cases.h"

namespace signum {

// factor: of the CPU, or null.
inline Result<PackedLinear> quantized_on_card(const Recipe& recipe, const Matrix& weight,
                                              const Factor* factor) {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  return cuda::guarded([&] {
    cuda::DeviceFactor own;
    if (factor) own = on_card(*factor);
    return cuda::quantize(card, recipe, on_card(weight), factor ? &own : nullptr);
  });
}

struct BothEnds {
  PackedLinear cpu, card;
  LinearErrors cpu_errors, card_errors;
  Matrix cpu_values, card_values;

  BothEnds(const Recipe& recipe, const Problem& p) {
    ThreadPool pool(2);
    const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
    cpu = quantize(recipe, p.weight.clone(), &factor, pool).value();
    auto made = quantized_on_card(recipe, p.weight, &factor);
    REQUIRE_MESSAGE(made.ok(), made.error().message);
    card = std::move(made).value();
    cpu_values = decode(cpu, pool).value();
    auto values = decode(card, pool);
    REQUIRE_MESSAGE(values.ok(), values.error().message);
    card_values = std::move(values).value();
    cpu_errors = linear_errors(p.weight, cpu_values, &p.hessian, pool);
    card_errors = linear_errors(p.weight, card_values, &p.hessian, pool);
  }

  bool same_layout() const {
    if (layout_to_json(cpu.layout) != layout_to_json(card.layout)) return false;
    if (cpu.tensors.size() != card.tensors.size()) return false;
    for (size_t i = 0; i < cpu.tensors.size(); ++i)
      if (cpu.tensors[i].role != card.tensors[i].role || cpu.tensors[i].shape != card.tensors[i].shape ||
          cpu.tensors[i].dtype != card.tensors[i].dtype)
        return false;
    return (!cpu.order && !card.order) || (cpu.order && card.order && *cpu.order == *card.order);
  }
  // Share of the bits of all planes and codes (U8 tensors) that are the same.
  double same_bits() const {
    size_t bits = 0, equal = 0;
    for (size_t i = 0; i < cpu.tensors.size(); ++i) {
      if (cpu.tensors[i].dtype != DType::U8) continue;
      for (size_t at = 0; at < cpu.tensors[i].bytes.size(); ++at, bits += 8)
        equal += size_t(8 - std::popcount(uint8_t(cpu.tensors[i].bytes[at] ^ card.tensors[i].bytes[at])));
    }
    return bits ? double(equal) / double(bits) : 1;
  }
  // Largest difference of the weights, as a share of the largest weight.
  double apart() const { return signum::apart(card_values, cpu_values); }
  double error_ratio() const { return card_errors.output / cpu_errors.output; }
};

// The golden cases on the card, its factor made by the CPU.
inline golden::Outcome compare_on_card(const SafetensorsFile& file, const golden::Case& c) {
  return golden::compare(file, c, [](const Recipe& recipe, const Matrix& weight, const Matrix& hessian) {
    ThreadPool pool(2);
    const Factor factor = factorize(hessian, factor_options(recipe), pool).value();
    auto linear = quantized_on_card(recipe, weight, &factor);
    REQUIRE_MESSAGE(linear.ok(), linear.error().message);
    return std::move(linear).value();
  });
}

// For methods that pass errors on from weight to weight: where rounding turns a tie, a row may go another
// way.
inline void check_but_for_ties(const std::vector<golden::Case>& cases) {
  for (const char* layer : golden::kLayers) {
    const auto file = golden::open_layer(layer);
    for (const golden::Case& c : cases) {
      CAPTURE(layer);
      CAPTURE(c.key);
      const golden::Outcome outcome = compare_on_card(*file, c);
      const size_t rows = file->find("weight")->shape[0];
      CHECK(outcome.rows_outside <= std::max<size_t>(1, rows / 50));
      CHECK(std::fabs(outcome.ours.output / outcome.golden.output - 1) <= 1e-3);
    }
  }
}

// Rows without negative or positive weights, constant ones, zeros, one large weight; inputs that calibration
// never saw.
inline Problem special_problem(size_t rows, size_t columns, uint64_t seed) {
  Problem p = random_problem(rows, columns, seed);
  for (size_t j = 0; j < columns; ++j) {
    p.weight(0, j) = std::fabs(p.weight(0, j));
    p.weight(1, j) = -std::fabs(p.weight(1, j));
    p.weight(2, j) = 0.25f;
    p.weight(3, j) = 0;
    for (const size_t dead : {size_t(5), columns - 2}) p.hessian(dead, j) = p.hessian(j, dead) = 0;
  }
  p.weight(4, columns / 2) = 1;
  return p;
}

}  // namespace signum
