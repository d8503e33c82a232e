#include "base/mt19937.h"

#include <bit>

namespace signum {

PythonRandom::PythonRandom(uint64_t seed) {
  // random.seed(int): the 32-bit words of the number, lowest first, are the key of init_by_array (at least
  // one word).
  const std::array<uint32_t, 2> key = {uint32_t(seed), uint32_t(seed >> 32)};
  const size_t length = key[1] != 0 ? 2 : 1;
  constexpr size_t n = 624;
  state_[0] = 19650218u;
  for (size_t i = 1; i < n; ++i)
    state_[i] = 1812433253u * (state_[i - 1] ^ state_[i - 1] >> 30) + uint32_t(i);
  size_t i = 1, j = 0;
  const auto step = [&] {
    if (++i < n) return;
    state_[0] = state_[n - 1];
    i = 1;
  };
  for (size_t k = 0; k < n; ++k) {
    state_[i] = (state_[i] ^ (state_[i - 1] ^ state_[i - 1] >> 30) * 1664525u) + key[j] + uint32_t(j);
    step();
    j = (j + 1) % length;
  }
  for (size_t k = 0; k < n - 1; ++k) {
    state_[i] = (state_[i] ^ (state_[i - 1] ^ state_[i - 1] >> 30) * 1566083941u) - uint32_t(i);
    step();
  }
  state_[0] = 0x80000000u;
}

void PythonRandom::refill() {
  constexpr size_t n = 624, m = 397;
  for (size_t k = 0; k < n; ++k) {
    const uint32_t y = (state_[k] & 0x80000000u) | (state_[(k + 1) % n] & 0x7FFFFFFFu);
    state_[k] = state_[(k + m) % n] ^ y >> 1 ^ (y & 1 ? 0x9908B0DFu : 0u);
  }
  index_ = 0;
}

uint32_t PythonRandom::next() {
  if (index_ == state_.size()) refill();
  uint32_t y = state_[index_++];
  y ^= y >> 11;
  y ^= y << 7 & 0x9D2C5680u;
  y ^= y << 15 & 0xEFC60000u;
  return y ^ y >> 18;
}

uint64_t PythonRandom::getrandbits(int bits) {
  if (bits <= 32) return next() >> (32 - bits);
  const uint64_t low = next();
  return low | uint64_t(next() >> (64 - bits)) << 32;
}

uint64_t PythonRandom::randint(uint64_t low, uint64_t high) {
  const uint64_t count = high - low + 1;
  const int bits = std::bit_width(count);
  uint64_t drawn;
  do drawn = getrandbits(bits);
  while (drawn >= count);
  return low + drawn;
}

double PythonRandom::random() {
  const uint32_t high = next() >> 5, low = next() >> 6;
  return (double(high) * 0x1p26 + double(low)) * 0x1p-53;
}

}  // namespace signum
