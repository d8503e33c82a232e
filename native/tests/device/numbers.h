// Random numbers and arrays for the tests of native/cuda.
#pragma once

#include <random>
#include <vector>

#include "on_card.h"

namespace signum {

// Normal.
inline std::vector<float> random_numbers(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(count);
  for (float& x : out) x = normal(random);
  return out;
}

template <class T>
cuda::Array<T> uploaded(const std::vector<T>& from) {
  cuda::Array<T> array(test_device(), from.size(), "a test");
  array.upload(from);
  test_device().stream().wait();
  return array;
}

}  // namespace signum
