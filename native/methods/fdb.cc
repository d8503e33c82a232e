// Flexible Dual Binarization, the part of DB-LLM (arXiv 2402.11960) that needs no training: two planes of 0
// and 1 with a scale each, fitted to every group of a row by itself.
#include <algorithm>

#include "base/pool.h"
#include "methods/compensation.h"
#include "methods/fdb_fit.h"
#include "methods/method_list.h"
#include "methods/stored.h"

namespace signum {
namespace {

// The tensors while they are filled.
class DualPlanes {
 public:
  DualPlanes(const Recipe& recipe, size_t rows, size_t columns)
      : rows_(rows),
        group_(std::min(size_t(recipe.group), columns)),
        groups_((columns + group_ - 1) / group_),
        plane1_("sign", rows, columns),
        plane2_("plane2", rows, columns),
        scale_("scale", recipe.scale_type, {2, rows, groups_}) {
    linear_.layout.method = Method::Fdb;
    linear_.layout.rows = rows;
    linear_.layout.columns = columns;
    linear_.layout.scale_type = recipe.scale_type;
    linear_.layout.group = group_;
  }

  size_t group() const { return group_; }

  // Rows [row, row + rows) of the group that begins at `column`; bit r of a mask is row + r.
  void put(size_t row, size_t rows, size_t column, size_t width, const FdbScales& scales,
           const uint16_t* plane1, const uint16_t* plane2) {
    plane1_.put(row, rows, column, plane1, width);
    plane2_.put(row, rows, column, plane2, width);
    for (size_t lane = 0; lane < rows; ++lane) {
      const size_t at = (row + lane) * groups_ + column / group_;
      scale_.set(at, scales.first[lane]);
      scale_.set(rows_ * groups_ + at, scales.second[lane]);
    }
  }

  PackedLinear take() {
    linear_.tensors = {plane1_.take(), plane2_.take(), scale_.take()};
    return std::move(linear_);
  }

 private:
  PackedLinear linear_;
  size_t rows_, group_, groups_;
  BitPlane plane1_, plane2_;
  ScalarTensor scale_;
};

// Quantizes the columns from `column` on, one group or several, of all rows. current [rows, width]: the
// weights to fit. done(row, rows, group, value): the tile is stored; value [width][16] is what it decodes to.
template <class Done>
void fit_groups(const Recipe& recipe, ConstView current, size_t column, const std::vector<float>& importance,
                DualPlanes& planes, ThreadPool& pool, const Done& done) {
  pool.parallel_for((current.rows + kTileRows - 1) / kTileRows, [&](size_t index) {
    const size_t row = index * kTileRows, rows = std::min(kTileRows, current.rows - row);
    std::vector<uint16_t> plane1(planes.group()), plane2(planes.group());
    for (size_t begin = 0; begin < current.columns; begin += planes.group()) {
      const size_t width = std::min(planes.group(), current.columns - begin);
      Tiles tile(rows, width), value(kTileRows, width);
      tile.load(0, current.block(row, begin, rows, width));
      const FdbGroup group{tile.tile(0), importance.data() + column + begin, width};
      const FdbScales scales = fdb_fit(group, recipe.step_rule, recipe.scale_type, kFdbRounds);
      fdb_planes(group, scales, plane1.data(), plane2.data(), value.tile(0));
      planes.put(row, rows, column + begin, width, scales, plane1.data(), plane2.data());
      done(row, rows, group, value.tile(0));
    }
  });
}

// Each group from its weights as updated by the errors of the groups before it. Columns of one group do not
// see each other's errors: they are fitted together (docs/METHODS.md).
void fit_with_propagation(const Recipe& recipe, Matrix weight, const Factor& factor,
                          const std::vector<float>& importance, DualPlanes& planes, ThreadPool& pool) {
  BlockLoop loop(std::move(weight), factor, planes.group(), pool);
  Matrix error(loop.rows(), planes.group());  // (w - w_hat) / U_jj
  for (size_t t = 0; t < loop.blocks(); ++t) {
    loop.enter(t);
    fit_groups(recipe, loop.current(), loop.start(), importance, planes, pool,
               [&](size_t row, size_t rows, const FdbGroup& group, const float* value) {
                 for (size_t lane = 0; lane < rows; ++lane)
                   for (size_t j = 0; j < group.width; ++j) {
                     const size_t at = j * kTileRows + lane;
                     error(row + lane, j) = (group.weight[at] - value[at]) * loop.r_block()(j, j);
                   }
               });
    loop.leave_with_error(error.view().block(0, 0, loop.rows(), loop.width()));
  }
}

}  // namespace

std::vector<float> fdb_importance(const Recipe& recipe, const std::vector<float>* diagonal, size_t columns,
                                  size_t group) {
  std::vector<float> importance(columns, 1);
  if (recipe.step_rule != StepRule::Hessian) return importance;
  const std::vector<float>& h = *diagonal;
  double mean = 0;
  for (const float one : h) mean += double(one) / double(columns);
  for (size_t begin = 0; begin < columns; begin += group) {
    const size_t end = std::min(begin + group, columns);
    const bool reached =
        std::any_of(h.begin() + long(begin), h.begin() + long(end), [](float x) { return x > 0; });
    for (size_t j = begin; reached && j < end; ++j) importance[j] = float(double(h[j]) / mean);
  }
  return importance;
}

PackedLinear quantize_fdb(const Recipe& recipe, Matrix weight, const Factor* factor, ThreadPool& pool) {
  DualPlanes planes(recipe, weight.rows(), weight.columns());
  const std::vector<float> importance =
      fdb_importance(recipe, factor ? &factor->diagonal : nullptr, weight.columns(), planes.group());
  if (recipe.propagation)
    fit_with_propagation(recipe, std::move(weight), *factor, importance, planes, pool);
  else
    fit_groups(recipe, weight.view(), 0, importance, planes, pool,
               [](size_t, size_t, const FdbGroup&, const float*) {});
  return planes.take();
}

}  // namespace signum
