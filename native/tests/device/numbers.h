// Random numbers and arrays for the tests of native/cuda.
#pragma once

#include <random>
#include <vector>

#include "cuda/math/blas.h"
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

// By how much sums of k products of 16 bits may be off where a library makes them, in units of sum |a b|:
// tensor cores cut a sum off, and do not round it, after every 8 products or more.
inline double cut_off(const cuda::Blas& blas, size_t k) {
  return blas.has_library() ? double(k / 8 + 1) * 0x1p-23 : 0.0;
}

}  // namespace signum
