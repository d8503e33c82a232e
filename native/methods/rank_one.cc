#include "methods/rank_one.h"

#include <algorithm>

#include "base/pool.h"
#include "methods/rank_one_kernels.h"

namespace signum {
namespace {

constexpr size_t kBandVectors = 2048;  // columns x tiles that are worth a task of their own
constexpr double kEpsilon = 1e-8;

// Runs step(tile, sums) over all tiles and returns the column scales from the sums, in an order that depends
// on the shape only.
class ColumnSolver {
 public:
  ColumnSolver(size_t tiles, size_t groups, size_t columns, ThreadPool& pool)
      : tiles_(tiles),
        size_(groups * columns),
        band_tiles_(std::max<size_t>(32, kBandVectors / std::max<size_t>(columns, 1))),
        bands_((tiles + band_tiles_ - 1) / band_tiles_),
        pool_(pool),
        partial_(bands_, std::vector<double>(2 * size_)) {}

  template <class Step>
  void solve(bool start, const Step& step, std::vector<float>& column_scale) {
    pool_.parallel_for(bands_, [&](size_t band) {
      auto sums = aligned_array<float>(2 * size_ * kTileRows);
      std::fill_n(sums.get(), 2 * size_ * kTileRows, 0.0f);
      for (size_t t = band * band_tiles_; t < std::min(tiles_, (band + 1) * band_tiles_); ++t)
        step(t, ColumnSums{sums.get(), sums.get() + size_ * kTileRows});
      for (size_t i = 0; i < 2 * size_; ++i) {
        const float* lanes = sums.get() + i * kTileRows;
        double part[4] = {};  // four chains: the additions of one need not wait for each other
        for (size_t lane = 0; lane < kTileRows; lane += 4)
          for (size_t c = 0; c < 4; ++c) part[c] += lanes[lane + c];
        partial_[band][i] = (part[0] + part[1]) + (part[2] + part[3]);
      }
    });
    for (size_t i = 0; i < size_; ++i) {
      double numerator = 0, denominator = 0;
      for (const auto& part : partial_) {
        numerator += part[i];
        denominator += part[size_ + i];
      }
      column_scale[i] = float(start ? (denominator > 0 ? numerator / denominator : 0)
                                    : numerator / (denominator + kEpsilon));
    }
  }

 private:
  size_t tiles_, size_, band_tiles_, bands_;
  ThreadPool& pool_;
  std::vector<std::vector<double>> partial_;
};

}  // namespace

RankOneFit fit_rank_one(const RankOneProblem& p, ThreadPool& pool) {
  const size_t tiles = p.weight->count(), groups = p.groups(), columns = p.columns,
               row_size = groups * kTileRows;
  RankOneFit fit;
  for (int o = 0; o < p.order; ++o) {
    fit.row_scale[o].resize(tiles * row_size);
    fit.column_scale[o].assign(groups * columns, 1.0f);
    if (p.order == 2) fit.sign[o] = Tiles(p.weight->rows(), columns);
  }
  const size_t second = std::min(p.second_columns, columns);  // < columns only with one group
  if (p.order == 2)
    std::fill(fit.column_scale[1].begin() + long(second * groups), fit.column_scale[1].end(), 0.0f);
  const auto x = [&](size_t t) { return p.weight->tile(t) + p.first * kTileRows; };
  const auto tile_groups = [&](size_t t) {
    return TileGroups{p.search ? p.search->tile(t) + p.first * kTileRows : nullptr, p.splits};
  };
  const auto row = [&](int o, size_t t) { return fit.row_scale[o].data() + t * row_size; };
  const auto column = [&](int o) { return fit.column_scale[o].data(); };

  ColumnSolver solver(tiles, groups, columns, pool);
  std::vector<float> ignored(groups * columns);
  const auto solve = [&](int o, bool start, const auto& step) {
    solver.solve(start, step, p.column_scales ? fit.column_scale[o] : ignored);
  };

  solve(0, true,
        [&](size_t t, ColumnSums sums) { rank_one_start(x(t), tile_groups(t), columns, row(0, t), sums); });
  if (p.order == 1) {
    const size_t mask_bytes = columns * groups * kMaskBytes;
    std::vector<uint8_t> masks(tiles * mask_bytes);
    for (int i = 0; i < p.iterations; ++i)
      solve(0, false, [&](size_t t, ColumnSums sums) {
        uint8_t* members = masks.data() + t * mask_bytes;
        if (i == 0) member_masks(x(t), tile_groups(t), columns, members);
        rank_one_update(x(t), groups, members, columns, column(0), row(0, t), sums);
      });
    return fit;
  }

  Tiles* sign = fit.sign;
  solve(1, true, [&](size_t t, ColumnSums sums) {
    rank_two_start(x(t), tile_groups(t), columns, second, column(0), row(0, t), sign[0].tile(t),
                   sign[1].tile(t), row(1, t), sums);
  });
  const auto assign = [&](size_t t) {
    rank_two_assign(x(t), tile_groups(t), columns, column(0), row(0, t), column(1), row(1, t),
                    sign[0].tile(t), sign[1].tile(t));
  };
  for (int i = 0; i < p.iterations; ++i) {
    solve(0, false, [&](size_t t, ColumnSums sums) {
      if (i > 0) assign(t);  // the last iteration's third half-step, while the tile is in the cache
      rank_two_step(x(t), tile_groups(t), columns, sign[0].tile(t), column(0), row(0, t), sign[1].tile(t),
                    column(1), row(1, t), sums);
    });
    solve(1, false, [&](size_t t, ColumnSums sums) {
      rank_two_step(x(t), tile_groups(t), second, sign[1].tile(t), column(1), row(1, t), sign[0].tile(t),
                    column(0), row(0, t), sums);
    });
  }
  if (p.iterations > 0) pool.parallel_for(tiles, assign);
  return fit;
}

}  // namespace signum
