// signum-rc (docs/METHODS.md): columns by falling Hessian diagonal, row and column scales, a second sign
// plane on a share of the columns, a third on a share of those, errors propagated column by column, scales
// refitted to the Hessian.
#include <cmath>

#include "base/pool.h"
#include "methods/compensation.h"
#include "methods/method_list.h"
#include "methods/signum_block.h"
#include "methods/stored.h"

namespace signum {
namespace {

// Row and column scales share a free factor: mean |column scale| = 1.
void normalize(std::vector<float>& row, std::vector<float>& column) {
  double sum = 0;
  for (const float c : column) sum += std::fabs(c);
  if (sum == 0) return;
  const float mean = float(sum / double(column.size()));
  for (float& c : column) c /= mean;
  for (float& r : row) r *= mean;
}

// One plane as it is stored: signs of the first `columns` stored columns, their row and column scales.
struct StoredPlane {
  size_t columns, blocks;
  BitPlane sign;
  ScalarTensor row_scale, column_scale;

  StoredPlane(const Layout& l, const std::string& suffix, size_t k)
      : columns(k),
        blocks((k + l.blocksize - 1) / l.blocksize),
        sign("sign" + suffix, l.rows, k),
        row_scale("row_scale" + suffix, l.scale_type, {l.rows, blocks}),
        column_scale("column_scale" + suffix, l.scale_type, {k}) {}

  // Of the block's columns [start, start + width) those that have this plane.
  size_t inside(size_t start, size_t width) const {
    return start >= columns ? 0 : std::min(width, columns - start);
  }
};

// Shares of the columns as counts.
size_t count_of(double share, size_t columns) { return size_t(share * double(columns) + 0.5); }

}  // namespace

PackedLinear quantize_signum_rc(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = Method::SignumRc;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.blocksize = recipe.blocksize;
  l.column_scales = recipe.column_scales;
  l.second_columns = count_of(recipe.second_plane, l.columns);
  l.third_columns = count_of(recipe.third_plane, l.columns);
  StoredPlane planes[kPlanes] = {{l, "", l.columns}, {l, "2", l.second_columns}, {l, "3", l.third_columns}};

  const size_t m = l.rows;
  BlockLoop loop(std::move(weight), factor, l.blocksize, pool);
  Matrix quantized(m, std::min(l.blocksize, l.columns));
  for (size_t block = 0; block < loop.blocks(); ++block) {
    loop.enter(block);
    const size_t width = loop.width(), start = loop.start();
    PlaneColumns columns;
    for (size_t k = 0; k < kPlanes; ++k) columns[k] = planes[k].inside(start, width);
    SignumBlock fit = fit_signum_block(recipe, loop.current(), loop.r_block(), loop.u_block(), columns, pool);
    PanelScales scales;
    for (size_t k = 0; k < kPlanes; ++k) {
      if (l.column_scales) {
        normalize(fit.row[k], fit.column[k]);
        for (size_t j = 0; j < columns[k]; ++j)
          fit.column[k][j] = planes[k].column_scale.set(start + j, fit.column[k][j]);
      }
      scales.columns[k] = columns[k];
      scales.column[k] = fit.column[k].data();
      scales.row[k] = fit.row[k].data();
    }
    pool.parallel_for((m + kPanelRows - 1) / kPanelRows, [&](size_t p) {
      const size_t row = p * kPanelRows, rows = std::min(kPanelRows, m - row);
      const uint8_t* codes = fit.codes.data() + p * width * kPanelRows;
      for (size_t k = 0; k < kPlanes && columns[k] > 0; ++k)
        for (size_t r = row; r < row + rows; ++r)
          fit.row[k][r] = planes[k].row_scale.set(r * planes[k].blocks + block, fit.row[k][r]);
      auto values = aligned_array<float>(width * kPanelRows);
      std::vector<uint16_t> masks(width);
      panel_values(scales.panel(p), codes, values.get());
      for (size_t r = 0; r < rows; ++r)
        for (size_t j = 0; j < width; ++j) quantized(row + r, j) = values[j * kPanelRows + r];
      for (size_t part = 0; part < rows; part += 16)
        for (size_t k = 0; k < kPlanes; ++k) {
          code_masks(codes + part, int(k), columns[k], masks.data());
          planes[k].sign.put(row + part, std::min<size_t>(16, rows - part), start, masks.data(), columns[k]);
        }
    });
    loop.leave_with_quantized(quantized.view().block(0, 0, m, width));
  }
  for (StoredPlane& plane : planes) {
    if (plane.columns == 0) continue;
    linear.tensors.push_back(plane.sign.take());
    linear.tensors.push_back(plane.row_scale.take());
    if (l.column_scales) linear.tensors.push_back(plane.column_scale.take());
  }
  return linear;
}

}  // namespace signum
