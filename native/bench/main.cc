// signum-bench: seconds per linear for every method, beside the floor and the published programs
// (docs/BENCHMARKS.md).
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/pool.h"
#include "bench/synthetic.h"
#include "math/blas.h"
#include "math/linear_algebra.h"
#include "methods/quantize.h"

using namespace signum;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Row {
  const char* name;
  Recipe recipe;
  // Median seconds of the published programs (PyTorch, two cores at about 200 GFLOP/s) at 512, 1024, 2048; 0
  // = not measured.
  double published[3];
};

std::vector<Row> rows() {
  Recipe rtn, gptq, billm, arb, arb_x, arb_rc, fdb, signum_rc;
  rtn.method = Method::Rtn;
  gptq.method = Method::Gptq;
  gptq.group = 128;
  billm.method = Method::BiLLM;
  arb.method = Method::Arb;
  arb_x.method = Method::ArbX;
  arb_rc.method = Method::ArbRc;
  fdb.method = Method::Fdb;
  fdb.group = 64;
  signum_rc.method = Method::SignumRc;
  signum_rc.descending_order = true;
  const auto plain = [](Recipe recipe) {
    recipe.column_group_bitmap = false;
    return recipe;
  };
  Recipe quarter = signum_rc, none = signum_rc;
  quarter.second_plane = 0.25;
  none.second_plane = 0;
  return {{"rtn 2 bit", rtn, {0, 0, 0}},
          {"gptq 2 bit g128", gptq, {0.09, 0.25, 0.85}},
          {"billm", billm, {0.62, 2.33, 9.06}},
          {"arb", plain(arb), {0, 0, 0}},
          {"arb + bitmap", arb, {0, 0, 0}},
          {"arb-x", plain(arb_x), {0, 0, 0}},
          {"arb-x + bitmap", arb_x, {2.26, 7.88, 26.3}},
          {"arb-rc", plain(arb_rc), {0, 0, 0}},
          {"arb-rc + bitmap", arb_rc, {1.12, 4.26, 18.0}},
          {"fdb g64", fdb, {0, 0, 0}},
          {"signum-rc 0", none, {0, 0, 0}},
          {"signum-rc 0.25", quarter, {0, 0, 0}},
          {"signum-rc 1", signum_rc, {0, 0, 0}}};
}

// Floating-point operations that no ordering of the work avoids: factor n^3/3, compensation m n^2 (and m n b
// inside blocks where errors are propagated column by column), and the small products of each method.
double floor_operations(const Recipe& r, double m, double n) {
  if (!needs_hessian(r.method)) return 0;
  const double b = double(r.blocksize), p = r.second_plane, base = n * n * n / 3 + m * n * n;
  switch (r.method) {
    case Method::Gptq:
      return base + m * n * b + 2 * m * n * b;
    case Method::SignumRc: {
      const double refit = 2 * (1 + p) * m * n * b + (1 + p) * (1 + p) * m * n * b;
      return base + (1 + r.refits) * m * n * b + 6 * m * n * b + r.refits * refit;
    }
    default:
      return base + 4 * m * n * b;
  }
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
    const auto start = Clock::now();
    gemm(1, a.view(), b.view(), 0, c.view(), pool);
    if (i >= 10) seconds.push_back(seconds_since(start));
  }
  return 2.0 * n * n * n / median(seconds) / 1e9;
}

void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }
double peak_memory_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

void bench_size(size_t n, int repeat, double rate, const std::string& only, ThreadPool& pool) {
  const SyntheticLinear linear = synthetic_linear(n, n, 7, pool);
  std::printf("\n%zu x %zu\n%-16s %9s %9s %9s %9s %9s %8s %10s %8s\n", n, n, "method", "seconds", "factor",
              "ns/weight", "floor s", "x floor", "peak MB", "published", "faster");
  for (const Row& row : rows()) {
    if (!only.empty() && std::string(row.name).find(only) == std::string::npos) continue;
    std::vector<double> total, factor_part;
    double peak = 0;
    for (int i = 0; i < repeat; ++i) {
      Matrix weight = linear.weight.clone();
      reset_peak_memory();
      const auto start = Clock::now();
      Factor factor;
      if (needs_hessian(row.recipe.method)) {
        auto result = factorize(linear.hessian, factor_options(row.recipe), pool);
        if (!result.ok()) std::exit(1);
        factor = std::move(result).value();
      }
      factor_part.push_back(seconds_since(start));
      const auto packed = quantize(row.recipe, std::move(weight), &factor, pool);
      if (!packed.ok()) std::exit(1);
      total.push_back(seconds_since(start));
      peak = std::max(peak, peak_memory_mb());
    }
    const double s = median(total), floor = floor_operations(row.recipe, double(n), double(n)) / rate / 1e9;
    const double published = n == 512    ? row.published[0]
                             : n == 1024 ? row.published[1]
                             : n == 2048 ? row.published[2]
                                         : 0;
    char beside[64] = "         -        -", over[16] = "        -";
    if (published > 0) std::snprintf(beside, sizeof beside, "%8.2f s %7.1fx", published, published / s);
    if (floor > 0) std::snprintf(over, sizeof over, "%9.2f", s / floor);
    std::printf("%-16s %9.4f %9.4f %9.1f %9.4f %s %8.0f %s\n", row.name, s, median(factor_part),
                s * 1e9 / double(n * n), floor, over, peak, beside);
    std::fflush(stdout);
  }
}

}  // namespace

// signum-bench [--threads N] [--sizes 512,1024] [--repeat N] [--only TEXT]
int main(int argc, char** argv) {
  size_t threads = 0;
  int repeat = 5;
  std::string sizes = "512,1024,2048,4096", only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i], value = argv[i + 1];
    if (key == "--threads")
      threads = std::strtoul(value.c_str(), nullptr, 10);
    else if (key == "--sizes")
      sizes = value;
    else if (key == "--repeat")
      repeat = std::max(1, std::atoi(value.c_str()));
    else if (key == "--only")
      only = value;
    else
      return std::fprintf(stderr,
                          "signum-bench [--threads N] [--sizes 512,1024] [--repeat N] [--only TEXT]\n"),
             2;
  }
  blas::use_one_thread();
  ThreadPool pool(threads);
  const double rate = gemm_rate(pool);
  std::printf("signum-bench %s: %zu threads, SIMD %s, BLAS %s, product rate %.0f GFLOP/s (2048 cubed, F32)\n",
              SIGNUM_VERSION, pool.threads(), simd_target_name(), blas_core_name(), rate);
  std::printf(
      "salience hessian, blocks of 128, scales F16; median of %d; factor included; published: PyTorch "
      "programs on two cores\n",
      repeat);
  for (size_t at = 0; at < sizes.size();) {
    const size_t comma = std::min(sizes.find(',', at), sizes.size());
    bench_size(std::strtoul(sizes.substr(at, comma - at).c_str(), nullptr, 10), repeat, rate, only, pool);
    at = comma + 1;
  }
  std::printf("\nproduct rate at the end: %.0f GFLOP/s\n", gemm_rate(pool));
  return 0;
}
