// Number formats and the thread pool.
#include <doctest/doctest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "base/dtype.h"
#include "base/half.h"
#include "base/pool.h"

namespace {

// What the standard says, in F64: nothing of half.h is used.
double half_value(uint32_t bits) {
  const int sign = bits >> 15 ? -1 : 1;
  const int exponent = int(bits >> 10 & 31), mantissa = int(bits & 1023);
  if (exponent == 31) return mantissa ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * std::ldexp(double(mantissa), -24);
  return sign * std::ldexp(1024.0 + mantissa, exponent - 25);
}

double bfloat_value(uint32_t bits) {
  const int sign = bits >> 15 ? -1 : 1;
  const int exponent = int(bits >> 7 & 255), mantissa = int(bits & 127);
  if (exponent == 255) return mantissa ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * std::ldexp(double(mantissa), -133);
  return sign * std::ldexp(128.0 + mantissa, exponent - 134);
}

bool same(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

}  // namespace

TEST_CASE("F16 and BF16 to F32: all 65,536 values") {
  size_t wrong = 0;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    wrong += !same(signum::half_to_float(uint16_t(bits)), half_value(bits));
    wrong += !same(signum::bfloat_to_float(uint16_t(bits)), bfloat_value(bits));
  }
  CHECK(wrong == 0);
}

TEST_CASE("F32 to F16 and BF16: every value comes back") {
  size_t wrong = 0;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto back = signum::float_to_half(signum::half_to_float(uint16_t(bits)));
    wrong += std::isnan(half_value(bits)) ? !std::isnan(half_value(back)) : back != bits;
    const auto back16 = signum::float_to_bfloat(signum::bfloat_to_float(uint16_t(bits)));
    wrong += std::isnan(bfloat_value(bits)) ? !std::isnan(bfloat_value(back16)) : back16 != bits;
  }
  CHECK(wrong == 0);
}

TEST_CASE("F32 to F16 and BF16 round to nearest, ties to even") {
  // Between each positive value and the next: the midpoint goes to the even one, its neighbours to the nearer
  // one.
  const auto check = [](auto convert, auto value, uint32_t last) {
    size_t wrong = 0;
    for (uint32_t bits = 0; bits < last; ++bits) {
      const float middle = float((value(bits) + value(bits + 1)) / 2);
      const uint32_t even = bits & 1 ? bits + 1 : bits;
      wrong += convert(middle) != even;
      wrong += convert(std::nextafter(middle, 0.0f)) != bits;
      wrong += convert(std::nextafter(middle, 1e38f)) != bits + 1;
      wrong += convert(-middle) != (even | 0x8000);
    }
    return wrong;
  };
  CHECK(check(signum::float_to_half, half_value, 0x7BFF) == 0);
  CHECK(check(signum::float_to_bfloat, bfloat_value, 0x7E00) == 0);
  CHECK(signum::float_to_half(65519.996f) == 0x7BFF);
  CHECK(signum::float_to_half(65520.0f) == 0x7C00);
  CHECK(signum::float_to_half(-1e30f) == 0xFC00);
}

TEST_CASE("dtype names and sizes") {
  CHECK(signum::dtype_from_name("BF16") == signum::DType::BF16);
  CHECK(signum::dtype_from_name("BOOL") == signum::DType::Bool);
  CHECK_FALSE(signum::dtype_from_name("bf16"));
  CHECK_FALSE(signum::dtype_from_name("F8_E4M3"));
  CHECK(signum::dtype_bytes(signum::DType::U16) == 2);
  CHECK(signum::dtype_bytes(signum::DType::F64) == 8);
}

TEST_CASE("the pool runs every task exactly once, whatever its size") {
  for (size_t threads : {1, 2, 5}) {
    signum::ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    // Many short calls: a worker that is late for one call must not disturb the next.
    size_t wrong = 0;
    for (size_t round = 0; round < 20000; ++round) {
      const size_t count = round % 9;
      std::atomic<int> runs[9] = {};
      pool.parallel_for(count, [&](size_t i) { ++runs[i]; });
      for (size_t i = 0; i < 9; ++i) wrong += runs[i] != (i < count ? 1 : 0);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("a call from inside a task runs inline") {
  signum::ThreadPool pool(3);
  std::vector<int> sums(8, 0);
  pool.parallel_for(8, [&](size_t i) { pool.parallel_for(10, [&](size_t k) { sums[i] += int(k); }); });
  for (int sum : sums) CHECK(sum == 45);
}

TEST_CASE("work that is given up leaves tasks out and throws where it was asked for") {
  using namespace signum;
  for (const size_t threads : {1, 3}) {
    ThreadPool pool(threads);
    std::atomic<size_t> done{0};
    std::atomic<bool> over{false};
    pool.interrupt_when([&] { return over.load(); });
    pool.parallel_for(100, [&](size_t) { ++done; });
    CHECK(done == 100);
    done = 0;
    // A call from inside a task goes on to its end.
    std::atomic<size_t> inner{0};
    const auto give_up = [&] {
      pool.parallel_for(1000, [&](size_t) {
        over = true;
        if (++done == 1 && threads > 1) pool.parallel_for(10, [&](size_t) { ++inner; });
      });
    };
    CHECK_THROWS_AS(give_up(), Interrupted);
    CHECK(done >= 1);
    CHECK(done <= threads);
    if (threads > 1) CHECK(inner == 10);
    CHECK_THROWS_AS(pool.parallel_for(1, [](size_t) {}), Interrupted);
    pool.interrupt_when({});
    done = 0;
    pool.parallel_for(50, [&](size_t) { ++done; });
    CHECK(done == 50);
  }
}
