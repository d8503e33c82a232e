#include "bench/packed_bench.h"

#include <cstdio>

#include "base/pool.h"
#include "bench/random_packed.h"
#include "bench/timing.h"
#include "kernels/packed_product.h"
#include "methods/stored.h"

namespace signum::bench {
namespace {

struct PackedRow {
  const char* name;
  Layout layout;
};

std::vector<PackedRow> layouts(size_t rows, size_t columns) {
  Layout base;
  base.rows = rows;
  base.columns = columns;
  const auto with = [&](Method method, auto set) {
    Layout layout = base;
    layout.method = method;
    set(layout);
    return layout;
  };
  const size_t salient = (columns + 11) / 12;  // as random_packed has them
  const auto codes = [&](int bits, size_t group) {
    return with(Method::Rtn, [&](Layout& l) { l.bits = bits, l.group = group; });
  };
  const auto grouped = [&](Method method, bool bitmap) {
    return with(method, [&](Layout& l) { l.column_group_bitmap = bitmap, l.salient_columns = salient; });
  };
  const auto rc = [&](double share) {
    return with(Method::SignumRc, [&](Layout& l) { l.second_columns = size_t(share * double(columns)); });
  };
  return {{"signum-rc 0", rc(0)},
          {"signum-rc 0.25", rc(0.25)},
          {"signum-rc 1", rc(1)},
          {"fdb g64", with(Method::Fdb, [](Layout& l) { l.group = 64; })},
          {"billm", grouped(Method::BiLLM, false)},
          {"arb-x + bitmap", grouped(Method::ArbX, true)},
          {"arb-rc", grouped(Method::ArbRc, false)},
          {"arb-rc + bitmap", grouped(Method::ArbRc, true)},
          {"codes 2 bit g128", codes(2, 128)},
          {"codes 3 bit g128", codes(3, 128)},
          {"codes 4 bit g64", codes(4, 64)},
          {"codes 8 bit g64", codes(8, 64)}};
}

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
  std::printf("\nplain reading: %.1f GB/s over %.1f GiB\n", reading, double(bytes) / double(1 << 30));
  for (const auto& [rows, columns] : sizes) {
    std::printf("\n%zu x %zu\n%-18s %8s %12s %8s %9s\n", rows, columns, "layout", "bits", "microseconds",
                "GB/s", "of reading");
    for (const PackedRow& row : layouts(rows, columns)) {
      if (std::string(row.name).find(only) == std::string::npos) continue;
      const PackedLinear first = random_packed(row.layout, 1, 1);
      std::vector<PackedLinear> linears((bytes + first.bytes() - 1) / first.bytes(), first);
      Matrix x(1, columns), y(1, rows);
      for (size_t j = 0; j < columns; ++j) x(0, j) = float(j % 13) - 6;
      std::vector<double> seconds;
      for (int i = 0; i < repeat; ++i)
        seconds.push_back(seconds_of([&] {
          for (const PackedLinear& linear : linears)
            multiply(view_of(linear), x.view(), 0.0f, y.view(), pool);
        }));
      const double each = median(seconds) / double(linears.size()), rate = double(first.bytes()) / each / 1e9;
      std::printf("%-18s %8.2f %12.1f %8.2f %8.0f %%\n", row.name,
                  8.0 * double(first.bytes()) / double(rows * columns), each * 1e6, rate,
                  100 * rate / reading);
      std::fflush(stdout);
    }
  }
}

}  // namespace signum::bench
