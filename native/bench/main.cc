// signum-bench: seconds per linear for every method, beside the floor and the published programs, and how the
// time per weight grows with the width (docs/BENCHMARKS.md).
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/pool.h"
#include "bench/decode_bench.h"
#include "bench/linear_bench.h"
#include "bench/packed_bench.h"
#include "bench/timing.h"
#include "math/blas.h"
#include "math/linear_algebra.h"

using namespace signum;
using namespace signum::bench;

namespace {

struct Options {
  size_t threads = 0;
  int repeat = 5;
  std::string sizes = "512,1024,2048,4096,11008x4096";
  std::string widths = "1024,2048,4096,8192";
  std::string packed;  // sizes; nothing is quantized then
  size_t bytes = size_t(1) << 30;
  std::string decode;  // forms of random models
  std::string tables = "rtn4";
  std::string folder;
  ModelShape shape;
  std::string only;
};

constexpr const char* kUsage =
    "signum-bench [--threads N] [--sizes 512,11008x4096] [--widths 1024,8192] [--repeat N] [--only TEXT]\n"
    "signum-bench --packed 2048,11008x4096 [--bytes N] [--threads N] [--repeat N] [--only TEXT]\n"
    "signum-bench --decode f16,rtn4,... [--tables rtn4] [--layers N] [--folder DIR] [--threads N] [--repeat "
    "N]\n"
    "sizes: rows x columns; widths: columns of the scaling table; an empty list leaves its part out\n"
    "packed: products straight from packed layouts, over as many distinct weights as fill the bytes (1 "
    "GiB)\n"
    "decode: random models of 1.1 billion weights, or of so many layers; a folder that is given keeps them\n";
constexpr size_t kScalingRows = 1024;

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  if (argc % 2 == 0) return std::nullopt;
  for (int i = 1; i < argc; i += 2) {
    const std::string key = argv[i], value = argv[i + 1];
    if (key == "--threads")
      options.threads = std::strtoul(value.c_str(), nullptr, 10);
    else if (key == "--sizes")
      options.sizes = value;
    else if (key == "--widths")
      options.widths = value;
    else if (key == "--repeat")
      options.repeat = std::max(1, std::atoi(value.c_str()));
    else if (key == "--packed")
      options.packed = value;
    else if (key == "--bytes")
      options.bytes = std::strtoull(value.c_str(), nullptr, 10);
    else if (key == "--decode")
      options.decode = value;
    else if (key == "--tables")
      options.tables = value;
    else if (key == "--folder")
      options.folder = value;
    else if (key == "--layers")
      options.shape.layers = std::strtoul(value.c_str(), nullptr, 10);
    else if (key == "--only")
      options.only = value;
    else
      return std::nullopt;
  }
  return options;
}

// "512,11008x4096" -> {512, 512}, {11008, 4096}
std::vector<std::pair<size_t, size_t>> read_sizes(const std::string& text) {
  std::vector<std::pair<size_t, size_t>> sizes;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string one = text.substr(at, comma - at);
    const size_t cross = one.find('x');
    const size_t rows = std::strtoul(one.c_str(), nullptr, 10);
    sizes.emplace_back(
        rows, cross == std::string::npos ? rows : std::strtoul(one.c_str() + cross + 1, nullptr, 10));
    at = comma + 1;
  }
  return sizes;
}

std::vector<Row> chosen_rows(const Options& options) {
  std::vector<Row> rows;
  for (const Row& row : method_rows())
    if (std::string(row.name).find(options.only) != std::string::npos) rows.push_back(row);
  return rows;
}

// GFLOP/s of our own pooled product, the rate that the floor is reckoned with.
double gemm_rate(ThreadPool& pool) {
  const size_t n = 2048;
  Matrix a(n, n), b(n, n), c(n, n);
  for (size_t i = 0; i < n * n; ++i) {
    a.data()[i] = float(i % 97) * 0.01f - 0.5f;
    b.data()[i] = float(i % 89) * 0.01f - 0.4f;
  }
  std::vector<double> seconds;
  for (int i = 0; i < 25; ++i) {
    const double one = seconds_of([&] { gemm(1, a.view(), b.view(), 0, c.view(), pool); });
    if (i >= 10) seconds.push_back(one);
  }
  return 2.0 * n * n * n / median(seconds) / 1e9;
}

void print_size(size_t rows, size_t columns, double rate, const Options& options, ThreadPool& pool) {
  LinearBench bench(rows, columns, options.repeat, pool);
  std::printf("\n%zu x %zu\n%-18s %8s %8s %8s %9s %9s %8s %8s %10s %8s\n", rows, columns, "method", "seconds",
              "factor", "passing", "ns/weight", "floor s", "x floor", "peak MB", "published", "faster");
  for (const Row& row : chosen_rows(options)) {
    const Timing timing = bench.time(row.recipe);
    const double floor = floor_operations(row.recipe, double(rows), double(columns)) / rate / 1e9;
    const double published = row.published_at(rows, columns);
    char beside[64] = "         -        -", over[16] = "       -";
    if (published > 0)
      std::snprintf(beside, sizeof beside, "%8.2f s %7.1fx", published, published / timing.total());
    if (floor > 0) std::snprintf(over, sizeof over, "%8.2f", timing.total() / floor);
    std::printf("%-18s %8.4f %8.4f %8.4f %9.1f %9.4f %s %8.0f %s\n", row.name, timing.total(), timing.factor,
                timing.compensation, timing.total() * 1e9 / double(rows * columns), floor, over,
                timing.peak_memory_mb, beside);
    std::fflush(stdout);
  }
}

// Time per weight against the width, without what grows with n^3 (factor) and m n^2 (passing errors on).
void print_scaling(const std::vector<std::pair<size_t, size_t>>& widths, const Options& options,
                   ThreadPool& pool) {
  const std::vector<Row> rows = chosen_rows(options);
  std::vector<std::vector<Timing>> timings;
  for (const auto& [width, unused] : widths) {
    LinearBench bench(kScalingRows, width, options.repeat, pool);
    std::vector<Timing>& of_width = timings.emplace_back();
    for (const Row& row : rows) of_width.push_back(bench.time(row.recipe));
  }
  std::printf(
      "\nns per weight, %zu rows, by columns: the method itself | the factor and passing errors on\n%-18s",
      kScalingRows, "method");
  for (const auto& [width, unused] : widths) std::printf(" %15zu", width);
  std::printf("  most / least\n");
  for (size_t i = 0; i < rows.size(); ++i) {
    double least = 1e30, most = 0;
    std::printf("%-18s", rows[i].name);
    for (size_t w = 0; w < widths.size(); ++w) {
      const double per_weight = 1e9 / double(kScalingRows * widths[w].first);
      const Timing& timing = timings[w][i];
      const double method = timing.search() * per_weight;
      least = std::min(least, method), most = std::max(most, method);
      std::printf(" %7.1f | %5.1f", method, (timing.factor + timing.compensation) * per_weight);
    }
    std::printf("  %12.2f\n", most / least);
  }
}

void print_quantizing(const Options& options, ThreadPool& pool) {
  const double rate = gemm_rate(pool);
  std::printf(
      "product rate %.0f GFLOP/s (2048 cubed, F32); salience hessian, blocks of 128, scales F16; seconds "
      "with "
      "the factor and with passing errors on; published: PyTorch programs on two cores\n",
      rate);
  for (const auto& [rows, columns] : read_sizes(options.sizes))
    print_size(rows, columns, rate, options, pool);
  if (const auto widths = read_sizes(options.widths); !widths.empty()) print_scaling(widths, options, pool);
  std::printf("\nproduct rate at the end: %.0f GFLOP/s\n", gemm_rate(pool));
}

// The exit code.
int report(const Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", status.error().code.c_str(), status.error().message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Options> options = read_options(argc, argv);
  if (!options) return std::fputs(kUsage, stderr), 2;
  blas::use_one_thread();
  ThreadPool pool(options->threads);
  std::printf("signum-bench %s: %zu threads, SIMD %s, BLAS %s; medians of %d\n", SIGNUM_VERSION,
              pool.threads(), simd_target_name(), blas_core_name(), options->repeat);
  if (const auto sizes = read_sizes(options->packed); !sizes.empty())
    print_packed(sizes, options->bytes, options->repeat, options->only, pool);
  else if (!options->decode.empty())
    return report(print_decoding(options->decode, options->tables, options->shape, options->folder,
                                 options->repeat, pool));
  else
    print_quantizing(*options, pool);
  return 0;
}
