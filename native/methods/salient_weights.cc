#include "methods/salient_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "base/pool.h"
#include "methods/tiles.h"

namespace signum {
namespace {

// Floats that are not negative, and NaN, are ordered as these numbers.
uint32_t key_of(float weight, float column_weight) {
  return std::bit_cast<uint32_t>(std::fabs(weight * column_weight));
}

// The columns [begin, end) of the linear as one set of numbers.
struct Group {
  ConstView weight;
  const float* column_weight;
  size_t begin, end;

  // take(key, column) for every column of a row.
  template <class Take>
  void each(size_t row, const Take& take) const {
    const float* w = weight.row(row);
    for (size_t j = begin; j < end; ++j) take(key_of(w[j], column_weight[j]), j);
  }
};

// All keys above `key` are salient, and of those that equal it the first `equal` of `present`.
struct Cut {
  uint32_t key;
  size_t equal, present;
};

// The cut that leaves `wanted` keys: by counting their top bits, then among those that share the bits where
// it lies. Counts are whole numbers and the rest is a set of numbers, so no order of work shows in it.
Cut find_cut(const Group& group, size_t wanted, ThreadPool& pool) {
  constexpr int kLowBits = 21;
  constexpr size_t kTops = size_t(1) << (32 - kLowBits);
  const size_t rows = group.weight.rows;
  const size_t band = std::max<size_t>(kTileRows, (size_t(1) << 15) / (group.end - group.begin));
  const size_t bands = (rows + band - 1) / band;
  const auto each_band = [&](const auto& take) {  // take(band, key)
    pool.parallel_for(bands, [&](size_t b) {
      for (size_t i = b * band; i < std::min(rows, (b + 1) * band); ++i)
        group.each(i, [&](uint32_t key, size_t) { take(b, key); });
    });
  };
  std::vector<uint32_t> counts(bands * kTops);
  each_band([&](size_t b, uint32_t key) { ++counts[b * kTops + (key >> kLowBits)]; });
  size_t left = wanted, top = kTops;
  for (size_t inside = 0; top-- > 0; left -= inside) {
    inside = 0;
    for (size_t b = 0; b < bands; ++b) inside += counts[b * kTops + top];
    if (inside >= left) break;
  }
  std::vector<std::vector<uint32_t>> shared(bands);
  each_band([&](size_t b, uint32_t key) {
    if (key >> kLowBits == top) shared[b].push_back(key);
  });
  std::vector<uint32_t> keys;
  for (const auto& own : shared) keys.insert(keys.end(), own.begin(), own.end());
  const auto last = keys.begin() + ptrdiff_t(left) - 1;
  std::nth_element(keys.begin(), last, keys.end(), std::greater<>());
  Cut cut{*last, left, 0};
  for (const uint32_t key : keys) {
    cut.equal -= key > cut.key;
    cut.present += key == cut.key;
  }
  return cut;
}

// How many of the keys that equal the cut every row may take.
std::vector<size_t> ties_of_rows(const Group& group, const Cut& cut, ThreadPool& pool) {
  const size_t rows = group.weight.rows;
  std::vector<size_t> ties(rows);
  pool.parallel_for(
      rows, [&](size_t i) { group.each(i, [&](uint32_t key, size_t) { ties[i] += key == cut.key; }); });
  size_t left = cut.equal;
  for (size_t& own : ties) {
    own = std::min(own, left);
    left -= own;
  }
  return ties;
}

void mark(const Group& group, const Cut& cut, SalientWeights& salient, ThreadPool& pool) {
  const bool all_ties = cut.equal == cut.present;
  const std::vector<size_t> ties = all_ties ? std::vector<size_t>() : ties_of_rows(group, cut, pool);
  const size_t rows = group.weight.rows, columns = group.weight.columns;
  pool.parallel_for(tiles_of(rows), [&](size_t t) {
    uint16_t* masks = salient.tiles.data() + t * columns;
    for (size_t i = t * kTileRows; i < std::min(rows, (t + 1) * kTileRows); ++i) {
      uint32_t count = 0;
      const auto put = [&](bool is, size_t j) {
        masks[j] = uint16_t(masks[j] | uint32_t(is) << (i % kTileRows));
        count += is;
      };
      if (all_ties) {
        group.each(i, [&](uint32_t key, size_t j) { put(key >= cut.key, j); });
      } else {
        size_t left = ties[i];
        group.each(i, [&](uint32_t key, size_t j) {
          const bool tie = key == cut.key && left > 0;
          left -= tie;
          put(key > cut.key || tie, j);
        });
      }
      salient.rows[i] += count;
    }
  });
}

}  // namespace

size_t salient_of_group(size_t weights, double share) {
  const size_t binarized = std::min(size_t(double(weights) * (1 - share)) + 1, weights);
  return std::max<size_t>(1, weights - binarized);
}

size_t salient_of_linear(size_t rows, size_t columns, size_t group, double share) {
  const size_t last = columns % group;
  return columns / group * salient_of_group(rows * group, share) +
         (last > 0 ? salient_of_group(rows * last, share) : 0);
}

SalientWeights find_salient(ConstView weight, const std::vector<float>& column_weight, size_t group,
                            double share, ThreadPool& pool) {
  SalientWeights salient{std::vector<uint16_t>(tiles_of(weight.rows) * weight.columns),
                         std::vector<uint32_t>(weight.rows)};
  for (size_t begin = 0; begin < weight.columns; begin += group) {
    const Group one{weight, column_weight.data(), begin, std::min(begin + group, weight.columns)};
    const size_t wanted = salient_of_group(weight.rows * (one.end - one.begin), share);
    mark(one, find_cut(one, wanted, pool), salient, pool);
  }
  return salient;
}

}  // namespace signum
