// CPython's random numbers, so that published calibration samples can be drawn again, and anybody can draw
// ours.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace signum {

// random.seed(n) and random.randint, random.getrandbits and random.random of CPython 3.2 and later, bit for
// bit.
class PythonRandom {
 public:
  explicit PythonRandom(uint64_t seed);  // a non-negative int

  uint32_t next();                 // 32 random bits
  uint64_t getrandbits(int bits);  // 1 <= bits <= 64
  // low <= result <= high. Requires low <= high and high - low < 2^64 - 1.
  uint64_t randint(uint64_t low, uint64_t high);
  // random.random(): 53 bits, 0 <= result < 1.
  double random();

 private:
  void refill();

  std::array<uint32_t, 624> state_;
  size_t index_ = 624;
};

}  // namespace signum
