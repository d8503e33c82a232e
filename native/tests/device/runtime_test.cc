// The device itself: memory, copies, launches, recording; and what kernels may use (cuda/dialect.h).
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "base/half.h"
#include "cuda/math/elementwise.h"
#include "device.h"
#include "dialect_kernels.h"

using namespace signum;

TEST_CASE("what is uploaded comes back, and memory is counted") {
  cuda::Device& device = test_device();
  const uint64_t before = device.used_bytes();
  std::vector<int> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), -500);
  {
    cuda::Array<int> array(device, numbers.size(), "numbers");
    CHECK(device.used_bytes() == before + 4000);
    array.upload(numbers);
    CHECK(array.download() == numbers);
  }
  CHECK(device.used_bytes() == before);
}

TEST_CASE("too much memory is refused with what was needed") {
  const auto refused =
      cuda::guarded([&] { return cuda::Array<float>(test_device(), size_t(1) << 46, "a test").size(); });
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == "device_memory_short");
  CHECK(refused.error().message.find("a test") != std::string::npos);
}

TEST_CASE("sums over warps and blocks are those of a loop") {
  cuda::Device& device = test_device();
  for (const size_t n : {size_t(1), size_t(31), size_t(256), size_t(5000)}) {
    CAPTURE(n);
    std::vector<float> x(n);
    for (size_t i = 0; i < n; ++i) x[i] = float(int(i * 7919 % 101) - 50);
    cuda::Array<float> on_card(device, n, "x"), sum(device, 1, "sum");
    on_card.upload(x);
    sum_in_one_block(device, on_card.data(), n, sum.data());
    CHECK(sum.download()[0] == std::accumulate(x.begin(), x.end(), 0.0f));
  }
}

TEST_CASE("ballots and shifted lanes") {
  cuda::Device& device = test_device();
  cuda::Array<unsigned> out(device, 64, "lanes");
  try_lanes(device, out.data());
  const auto got = out.download();
  for (unsigned lane = 0; lane < 32; ++lane) {
    CHECK(got[lane] == 0x92492492u);
    CHECK(got[32 + lane] == (lane < 3 ? lane : lane - 3));
  }
}

TEST_CASE("a recorded series is played as often as asked, on what is there then") {
  cuda::Device& device = test_device();
  cuda::Array<float> x(device, 100, "x");
  cuda::fill(device, x.data(), 100, 1.0f);
  cuda::Graph graph(device, [&] { add_one(device, x.data(), 100); });
  CHECK(x.download()[5] == 1.0f);
  graph.play();
  graph.play();
  CHECK(x.download()[99] == 3.0f);
}

TEST_CASE("a stream goes on by itself, unless it waits for another") {
  cuda::Device& device = test_device();
  for (const bool waits : {false, true}) {
    cuda::Array<float> x(device, 1000, "x");
    cuda::fill(device, x.data(), x.size(), 4.0f);
    std::vector<float> got(x.size());
    if (waits) device.copies().wait_for(device.stream());
    device.download_later(device.copies(), got.data(), x.data(), x.bytes());
    device.copies().wait();
    if (waits) CHECK(got == std::vector<float>(x.size(), 4.0f));
    if (!waits && device.emulated()) CHECK(got[0] != 4.0f);  // it does everything as late as it may
    device.stream().wait();
  }
}

TEST_CASE("host memory may go once it is uploaded") {
  cuda::Device& device = test_device();
  for (const size_t n : {size_t(10), size_t(100000)}) {
    cuda::Array<int> x(device, n, "x");
    {
      std::vector<int> numbers(n, 7);
      x.upload(numbers);
      std::ranges::fill(numbers, 8);
    }
    CHECK(x.download() == std::vector<int>(n, 7));
  }
}

TEST_CASE("halves widen to what the CPU says") {
  cuda::Device& device = test_device();
  std::vector<uint16_t> bits(65536);
  std::iota(bits.begin(), bits.end(), 0);
  cuda::Array<uint16_t> from(device, bits.size(), "halves");
  cuda::Array<float> to(device, bits.size(), "floats");
  from.upload(bits);
  for (const bool half : {false, true}) {
    cuda::widen(device, from.data(), bits.size(), half, to.data());
    const auto got = to.download();
    size_t wrong = 0;
    for (size_t i = 0; i < bits.size(); ++i) {
      const float expected = half ? half_to_float(uint16_t(i)) : bfloat_to_float(uint16_t(i));
      wrong += expected == expected ? got[i] != expected : got[i] == got[i];
    }
    CHECK(wrong == 0);
  }
}
