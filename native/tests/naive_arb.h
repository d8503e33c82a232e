// ARB-LLM as its published program goes about it, whole block by whole block and in F64: masks by trying
// every candidate, fits by their definitions. One block, no error passed on.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "base/matrix.h"
#include "methods/quantize.h"

namespace signum::naive {

using Dense = std::vector<double>;  // [rows * columns]
using Mask = std::vector<bool>;

struct Block {
  size_t rows, columns;
  const Matrix* gram;  // S, arb-x
  int iterations;
};

inline double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

// brp: mean and mean deviation of every row's members, `order` times.
inline Dense residual_binarization(const Block& b, const Dense& x, const Mask& mask, int order) {
  Dense q(x.size());
  for (int o = 0; o < order; ++o)
    for (size_t i = 0; i < b.rows; ++i) {
      double members = 0, mean = 0, alpha = 0;
      const auto each = [&](const auto& visit) {
        for (size_t at = i * b.columns; at < (i + 1) * b.columns; ++at)
          if (mask[at]) visit(at);
      };
      each([&](size_t at) { mean += x[at] - q[at], ++members; });
      if (members == 0) continue;
      mean /= members;
      each([&](size_t at) { alpha += std::fabs(x[at] - q[at] - mean) / members; });
      each([&](size_t at) { q[at] += mean + alpha * sign_of(x[at] - q[at] - mean); });
    }
  return q;
}

// arb, and with b.gram arb-x's second phase behind it (`calibrated`).
inline Dense alternating(const Block& b, const Dense& x, const Mask& mask, int order, bool calibrated) {
  Dense q(x.size());
  for (size_t i = 0; i < b.rows; ++i) {
    std::vector<size_t> columns;
    for (size_t j = 0; j < b.columns; ++j)
      if (mask[i * b.columns + j]) columns.push_back(j);
    const size_t n = columns.size();
    if (n == 0) continue;
    std::vector<double> v(n), signs[2];
    for (size_t k = 0; k < n; ++k) v[k] = x[i * b.columns + columns[k]];
    double mean = 0, alpha[2] = {0, 0};
    std::vector<double> rest = v;
    for (int o = 0; o < order; ++o) {
      const double its = std::accumulate(rest.begin(), rest.end(), 0.0) / double(n);
      mean += its;
      signs[o].resize(n);
      for (size_t k = 0; k < n; ++k) alpha[o] += std::fabs(rest[k] - its) / double(n);
      for (size_t k = 0; k < n; ++k) {
        signs[o][k] = sign_of(rest[k] - its);
        rest[k] -= its + alpha[o] * signs[o][k];
      }
    }
    const auto value = [&](size_t k) {
      double sum = mean;
      for (int o = 0; o < order; ++o) sum += alpha[o] * signs[o][k];
      return sum;
    };
    for (int it = 0; it < b.iterations; ++it) {
      double shift = 0;
      for (size_t k = 0; k < n; ++k) shift += (v[k] - value(k)) / double(n);
      mean += shift;
      for (int o = 0; o < order; ++o) {
        double with = 0, squares = 0;
        for (size_t k = 0; k < n; ++k) {
          with += signs[o][k] * (v[k] - value(k) + alpha[o] * signs[o][k]);
          squares += signs[o][k] * signs[o][k];
        }
        alpha[o] = with / (squares + 1e-8);
      }
      for (size_t k = 0; k < n; ++k) {
        if (order == 1) {
          signs[0][k] = sign_of(v[k] - mean);
          continue;
        }
        double best = std::numeric_limits<double>::infinity();
        for (const double s1 : {-1.0, 1.0})
          for (const double s2 : {-1.0, 1.0}) {
            const double distance = std::fabs(v[k] - mean - s1 * alpha[0] - s2 * alpha[1]);
            if (distance < best) best = distance, signs[0][k] = s1, signs[1][k] = s2;
          }
      }
    }
    if (calibrated)
      for (int it = 0; it < b.iterations; ++it)
        for (int part = 0; part <= order; ++part) {  // mean, then the scales
          const auto vector = [&](size_t k) { return part == 0 ? 1.0 : signs[part - 1][k]; };
          double& number = part == 0 ? mean : alpha[part - 1];
          double with = 0, squares = 0;
          for (size_t k = 0; k < n; ++k)
            for (size_t l = 0; l < n; ++l) {
              const double s = double((*b.gram)(columns[k], columns[l]));
              with += vector(k) * s * (v[l] - value(l) + number * vector(l));
              squares += vector(k) * s * vector(l);
            }
          number = with / (squares + 1e-10);
        }
    for (size_t k = 0; k < n; ++k) q[i * b.columns + columns[k]] = value(k);
  }
  return q;
}

// arb-rc: row times column scales.
inline Dense row_column(const Block& b, const Dense& x, const Mask& mask, int order, int iterations) {
  std::vector<double> row[2], column[2];
  Dense sign[2], rest = x;
  const auto each = [&](const auto& visit) {
    for (size_t i = 0; i < b.rows; ++i)
      for (size_t j = 0; j < b.columns; ++j)
        if (mask[i * b.columns + j]) visit(i, j, i * b.columns + j);
  };
  const auto part = [&](int o, size_t i, size_t j, size_t at) {
    return row[o][i] * column[o][j] * sign[o][at];
  };
  for (int o = 0; o < order; ++o) {
    row[o].assign(b.rows, 0), column[o].assign(b.columns, 0), sign[o].assign(x.size(), 0);
    std::vector<double> in_row(b.rows), in_column(b.columns);
    each([&](size_t i, size_t, size_t at) { row[o][i] += std::fabs(rest[at]), ++in_row[i]; });
    for (size_t i = 0; i < b.rows; ++i) row[o][i] /= std::max(1.0, in_row[i]);
    each([&](size_t i, size_t j, size_t at) {
      if (row[o][i] > 0) column[o][j] += std::fabs(rest[at]) / row[o][i], ++in_column[j];
    });
    for (size_t j = 0; j < b.columns; ++j) column[o][j] /= std::max(1.0, in_column[j]);
    each([&](size_t, size_t, size_t at) { sign[o][at] = sign_of(rest[at]); });
    each([&](size_t i, size_t j, size_t at) { rest[at] -= part(o, i, j, at); });
  }
  const auto without = [&](int o, size_t i, size_t j, size_t at) {
    return order == 1 ? x[at] : x[at] - part(1 - o, i, j, at);
  };
  for (int it = 0; it < iterations; ++it) {
    for (int o = 0; o < order; ++o)
      for (const bool rows : {true, false}) {
        std::vector<double>&mine = rows ? row[o] : column[o], &other = rows ? column[o] : row[o];
        std::vector<double> with(mine.size()), squares(mine.size());
        each([&](size_t i, size_t j, size_t at) {
          const double factor = other[rows ? j : i] * sign[o][at];
          with[rows ? i : j] += factor * without(o, i, j, at);
          squares[rows ? i : j] += factor * factor;
        });
        for (size_t k = 0; k < mine.size(); ++k) mine[k] = with[k] / (squares[k] + 1e-8);
      }
    if (order == 2)
      each([&](size_t i, size_t j, size_t at) {
        const double p = row[0][i] * column[0][j], q = row[1][i] * column[1][j];
        double best = std::numeric_limits<double>::infinity();
        for (const double s1 : {-1.0, 1.0})
          for (const double s2 : {-1.0, 1.0}) {
            const double distance = std::fabs(x[at] - s1 * p - s2 * q);
            if (distance < best) best = distance, sign[0][at] = s1, sign[1][at] = s2;
          }
      });
  }
  Dense q(x.size());
  each([&](size_t i, size_t j, size_t at) {
    for (int o = 0; o < order; ++o) q[at] += part(o, i, j, at);
  });
  return q;
}

inline std::vector<float> quantiles(std::vector<double> sizes) {
  std::sort(sizes.begin(), sizes.end());
  std::vector<float> out;
  for (int i = 10; i <= 90; ++i) {
    const double rank = sizes.empty() ? 0 : double(i) / 100 * double(sizes.size() - 1);
    const size_t low = size_t(rank), high = std::min(low + 1, sizes.empty() ? 0 : sizes.size() - 1);
    out.push_back(sizes.empty() ? 0 : float(sizes[low] + (sizes[high] - sizes[low]) * (rank - double(low))));
  }
  return out;
}

// What the published program makes of one block: group after group, each with its order.
inline Dense quantize(const Recipe& recipe, const Block& b, const Dense& weight, const Dense& saliency,
                      const Dense& searched) {
  const size_t size = weight.size();
  const auto error = [&](const Dense& q, bool calibrated) {
    double sum = 0;
    for (size_t i = 0; i < b.rows; ++i)
      for (size_t j = 0; j < b.columns; ++j) {
        const double r = searched[i * b.columns + j] - q[i * b.columns + j];
        if (!calibrated) sum += r * r;
        for (size_t k = 0; calibrated && k < b.columns; ++k)
          sum += r * double((*b.gram)(j, k)) * (searched[i * b.columns + k] - q[i * b.columns + k]);
      }
    return sum;
  };
  const auto plus = [&](Dense a, const Dense& c) {
    for (size_t at = 0; at < size; ++at) a[at] += c[at];
    return a;
  };
  const auto cut = [&](const Mask& of, float t, bool above) {
    Mask mask(size);
    for (size_t at = 0; at < size; ++at) mask[at] = of[at] && (std::fabs(searched[at]) >= double(t)) == above;
    return mask;
  };

  std::vector<double> score(b.columns);
  for (size_t at = 0; at < size; ++at) score[at % b.columns] += std::fabs(saliency[at]);
  std::vector<size_t> order(b.columns);
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) { return score[x] > score[y]; });
  const auto first_columns = [&](size_t count) {
    Mask mask(size);
    for (size_t i = 0; i < b.rows; ++i)
      for (size_t k = 0; k < count; ++k) mask[i * b.columns + order[k]] = true;
    return mask;
  };
  const auto inverse = [](Mask mask) { return mask.flip(), mask; };
  size_t best_count = 1;
  double least = std::numeric_limits<double>::infinity();
  for (size_t count = 1; count < std::min(recipe.max_salient, b.columns); ++count) {
    const Mask mask = first_columns(count);
    const double its = error(plus(residual_binarization(b, searched, mask, 2),
                                  residual_binarization(b, searched, inverse(mask), 2)),
                             false);
    if (its < least) least = its, best_count = count;
  }
  const Mask salient = first_columns(best_count);

  // One group after another is cut off; fixed grows by what `refit` makes of it.
  const auto split = [&](Mask left, Dense fixed, int brp_order, bool zeros, bool calibrated,
                         const std::function<Dense(const Mask&)>& refit) {
    std::vector<Mask> groups;
    double minimum = std::numeric_limits<double>::infinity();
    Dense stale(size);  // the program adds the last good group again where a pass finds none
    for (size_t pass = 0; pass < recipe.splits; ++pass) {
      std::vector<double> sizes;
      for (size_t at = 0; at < size; ++at) {
        const double t = left[at] ? std::fabs(searched[at]) : 0;
        if (zeros || t != 0) sizes.push_back(t);
      }
      const std::vector<float> candidates = quantiles(sizes);
      float chosen = candidates[0];
      for (const float t : candidates) {
        const Dense above = residual_binarization(b, searched, cut(left, t, true), brp_order);
        const Dense below = residual_binarization(b, searched, cut(left, t, false), brp_order);
        const double its = error(plus(plus(fixed, above), below), calibrated);
        if (its < minimum) minimum = its, chosen = t, stale = above;
      }
      groups.push_back(cut(left, chosen, true));
      fixed = plus(fixed, refit ? refit(groups.back()) : stale);
      left = cut(left, chosen, false);
    }
    groups.push_back(left);
    return groups;
  };

  const bool rc = recipe.method == Method::ArbRc, x = recipe.method == Method::ArbX;
  const auto fit = [&](const Dense& of, const Mask& mask, int groups_order, bool calibrated) {
    return rc ? row_column(b, of, mask, groups_order, b.iterations)
              : alternating(b, of, mask, groups_order, calibrated);
  };
  std::vector<Mask> twice = {salient};
  if (recipe.column_group_bitmap) twice = split(salient, Dense(size), 2, false, false, nullptr);
  const std::vector<Mask> once =
      split(inverse(salient), fit(searched, salient, 2, false), 1, true, x, [&](const Mask& mask) {
        return rc ? row_column(b, searched, mask, 1, 0) : alternating(b, searched, mask, 1, false);
      });
  Dense q(size);
  for (const Mask& mask : twice) q = plus(q, fit(weight, mask, 2, x));
  for (const Mask& mask : once) q = plus(q, fit(weight, mask, 1, x));
  return q;
}

}  // namespace signum::naive
