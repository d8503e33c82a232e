#include "bench/linear_bench.h"

#include <cstdio>
#include <cstdlib>

#include "bench/timing.h"
#include "methods/compensation.h"

namespace signum::bench {
namespace {

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "signum-bench: %s: %s\n", error.code.c_str(), error.message.c_str());
  std::exit(1);
}

// The block loop of a method that quantizes nothing: only its products run.
void walk_blocks(Matrix weight, const Factor& factor, size_t blocksize, ThreadPool& pool) {
  const Matrix none(weight.rows(), blocksize);
  BlockLoop loop(std::move(weight), factor, blocksize, pool);
  for (size_t t = 0; t < loop.blocks(); ++t) {
    loop.enter(t);
    loop.leave_with_error(none.view().block(0, 0, loop.rows(), loop.width()));
  }
}

}  // namespace

LinearBench::LinearBench(size_t rows, size_t columns, int repeat, ThreadPool& pool)
    : linear_(synthetic_linear(rows, columns, 7, pool)), repeat_(repeat), pool_(pool) {}

LinearBench::Factored& LinearBench::factored(const FactorOptions& options) {
  const auto [place, fresh] = factors_.try_emplace({options.descending_order, options.keep_blocks});
  Factored& made = place->second;
  if (!fresh) return made;
  std::vector<double> seconds;
  for (int i = 0; i < repeat_; ++i) {
    made.factor = Factor();
    seconds.push_back(seconds_of([&] {
      auto result = factorize(linear_.hessian, options, pool_);
      if (!result.ok()) give_up(result.error());
      made.factor = std::move(result).value();
    }));
  }
  made.seconds = median(seconds);
  return made;
}

double LinearBench::compensation(Factored& made, size_t blocksize) {
  const auto [place, fresh] = made.compensation.try_emplace(blocksize);
  if (!fresh) return place->second;
  std::vector<double> seconds;
  for (int i = 0; i < repeat_; ++i) {
    Matrix weight = linear_.weight.clone();
    seconds.push_back(seconds_of([&] { walk_blocks(std::move(weight), made.factor, blocksize, pool_); }));
  }
  return place->second = median(seconds);
}

Timing LinearBench::time(const Recipe& recipe) {
  Timing timing;
  Factored* made = nullptr;
  if (needs_hessian(recipe)) {
    made = &factored(factor_options(recipe));
    timing.factor = made->seconds;
    timing.compensation = compensation(*made, recipe.blocksize);
  }
  std::vector<double> seconds;
  for (int i = 0; i < repeat_; ++i) {
    Matrix weight = linear_.weight.clone();
    reset_peak_memory();
    seconds.push_back(seconds_of([&] {
      const auto packed = quantize(recipe, std::move(weight), made ? &made->factor : nullptr, pool_);
      if (!packed.ok()) give_up(packed.error());
    }));
    timing.peak_memory_mb = std::max(timing.peak_memory_mb, peak_memory_mb());
  }
  timing.quantize = median(seconds);
  return timing;
}

}  // namespace signum::bench
