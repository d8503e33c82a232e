// Logits of a model, and how far two of them are apart.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/pool.h"
#include "evaluate/logits.h"

inline signum::Matrix logits_of(const signum::Model& model, const std::vector<uint32_t>& tokens,
                                signum::WeightForm form = signum::WeightForm::Decoded) {
  signum::ThreadPool pool(2);
  auto result = signum::logits(model, tokens, pool, form);
  REQUIRE(result.ok());
  return std::move(result).value();
}

// Squared differences over squared values.
inline double nmse(const signum::Matrix& a, const signum::Matrix& b) {
  double difference = 0, whole = 0;
  for (size_t k = 0; k < b.size(); ++k) {
    difference += std::pow(double(a.data()[k]) - double(b.data()[k]), 2);
    whole += std::pow(double(b.data()[k]), 2);
  }
  return difference / whole;
}
