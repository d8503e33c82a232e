#include "bench/packed_bench.h"

#include <unistd.h>

#include <cstdio>

#include "base/pool.h"
#include "bench/random_packed.h"
#include "bench/timing.h"
#include "kernels/packed_product.h"
#include "methods/stored.h"

namespace signum::bench {
namespace {

constexpr const char* kLayouts[] = {"signum-rc 0", "signum-rc 0.25", "signum-rc 1", "fdb",
                                    "billm",       "arb-x + bitmap", "arb-rc",      "arb-rc + bitmap",
                                    "pb-llm",      "rtn2",           "rtn3",        "rtn4",
                                    "rtn8"};

// GB/s of plain reading with all threads.
double read_rate(const std::vector<uint64_t>& memory, int repeat, ThreadPool& pool) {
  constexpr size_t kPart = size_t(1) << 16;
  const size_t parts = memory.size() / kPart;
  std::vector<uint64_t> sums(parts);
  std::vector<double> seconds;
  for (int i = 0; i < repeat; ++i)
    seconds.push_back(seconds_of([&] {
      pool.parallel_for(parts, [&](size_t part) {
        uint64_t sum[8] = {};
        const uint64_t* at = memory.data() + part * kPart;
        for (size_t k = 0; k < kPart; k += 8)
          for (size_t lane = 0; lane < 8; ++lane) sum[lane] += at[k + lane];
        for (const uint64_t one : sum) sums[part] += one;
      });
    }));
  return double(parts * kPart) * 8 / median(seconds) / 1e9;
}

}  // namespace

void print_packed(const std::vector<std::pair<size_t, size_t>>& sizes, size_t bytes, int repeat,
                  const std::string& only, ThreadPool& pool) {
  const double reading = read_rate(std::vector<uint64_t>(bytes / 8, 1), repeat, pool);
  std::printf("\nplain reading: %.1f GB/s over %.2f GiB; caches: %.1f MiB (L2 of a core), %.0f MiB (L3)\n",
              reading, double(bytes) / double(1 << 30),
              double(::sysconf(_SC_LEVEL2_CACHE_SIZE)) / double(1 << 20),
              double(::sysconf(_SC_LEVEL3_CACHE_SIZE)) / double(1 << 20));
  for (const auto& [rows, columns] : sizes) {
    std::printf("\n%zu x %zu\n%-18s %8s %12s %8s %9s\n", rows, columns, "layout", "bits", "microseconds",
                "GB/s", "of reading");
    for (const std::string name : kLayouts) {
      if (name.find(only) == std::string::npos) continue;
      const PackedLinear first = random_packed(*layout_named(name, rows, columns), 1, 1);
      const std::vector<PackedLinear> linears((bytes + first.bytes() - 1) / first.bytes(), first);
      std::vector<PackedView> views;
      for (const PackedLinear& linear : linears) views.push_back(view_of(linear));
      Matrix x(1, columns), y(1, rows);
      for (size_t j = 0; j < columns; ++j) x(0, j) = float(j % 13) - 6;
      std::vector<double> seconds;
      for (int i = 0; i < repeat; ++i)
        seconds.push_back(seconds_of([&] {
          for (const PackedView& view : views) multiply(view, x.view(), 0.0f, y.view(), pool);
        }));
      const double each = median(seconds) / double(linears.size()), rate = double(first.bytes()) / each / 1e9;
      std::printf("%-18s %8.2f %12.1f %8.2f %8.0f %%\n", name.c_str(),
                  8.0 * double(first.bytes()) / double(rows * columns), each * 1e6, rate,
                  100 * rate / reading);
      std::fflush(stdout);
    }
  }
}

}  // namespace signum::bench
