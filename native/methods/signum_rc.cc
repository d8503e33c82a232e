// signum-rc (docs/METHODS.md): columns by falling Hessian diagonal, row and column scales, a second sign
// plane on a share of the columns, errors propagated column by column, scales refitted to the Hessian.
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
  l.second_columns = size_t(recipe.second_plane * double(l.columns) + 0.5);
  const size_t m = l.rows, nb = l.blocks(), k = l.second_columns, nb2 = (k + l.blocksize - 1) / l.blocksize;
  BitPlane sign("sign", m, l.columns), sign2("sign2", m, k);
  ScalarTensor row_scale("row_scale", l.scale_type, {m, nb}),
      column_scale("column_scale", l.scale_type, {l.columns});
  ScalarTensor row_scale2("row_scale2", l.scale_type, {m, nb2}),
      column_scale2("column_scale2", l.scale_type, {k});

  BlockLoop loop(std::move(weight), factor, l.blocksize, pool);
  Matrix quantized(m, std::min(l.blocksize, l.columns));
  for (size_t block = 0; block < loop.blocks(); ++block) {
    loop.enter(block);
    const size_t width = loop.width(), start = loop.start();
    const size_t second = start >= k ? 0 : std::min(width, k - start);
    SignumBlock fit = fit_signum_block(recipe, loop.current(), loop.r_block(), loop.u_block(), second, pool);
    if (l.column_scales) {
      normalize(fit.row[0], fit.column[0]);
      normalize(fit.row[1], fit.column[1]);
      for (size_t j = 0; j < width; ++j) fit.column[0][j] = column_scale.set(start + j, fit.column[0][j]);
      for (size_t j = 0; j < second; ++j) fit.column[1][j] = column_scale2.set(start + j, fit.column[1][j]);
    }
    pool.parallel_for((m + kPanelRows - 1) / kPanelRows, [&](size_t p) {
      const size_t row = p * kPanelRows, rows = std::min(kPanelRows, m - row);
      const uint8_t* codes = fit.codes.data() + p * width * kPanelRows;
      float *r1 = fit.row[0].data() + row, *r2 = fit.row[1].data() + row;
      for (size_t r = 0; r < rows; ++r) {
        r1[r] = row_scale.set((row + r) * nb + block, r1[r]);
        if (second > 0) r2[r] = row_scale2.set((row + r) * nb2 + block, r2[r]);
      }
      auto values = aligned_array<float>(width * kPanelRows);
      std::vector<uint16_t> masks(width);
      panel_values({width, second, fit.column[0].data(), fit.column[1].data()}, r1, r2, codes, values.get());
      for (size_t r = 0; r < rows; ++r)
        for (size_t j = 0; j < width; ++j) quantized(row + r, j) = values[j * kPanelRows + r];
      for (size_t part = 0; part < rows; part += 16) {
        code_masks(codes + part, 0, width, masks.data());
        sign.put(row + part, std::min<size_t>(16, rows - part), start, masks.data(), width);
        code_masks(codes + part, 1, second, masks.data());
        sign2.put(row + part, std::min<size_t>(16, rows - part), start, masks.data(), second);
      }
    });
    loop.leave_with_quantized(quantized.view().block(0, 0, m, width));
  }
  linear.tensors = {sign.take(), row_scale.take()};
  if (l.column_scales) linear.tensors.push_back(column_scale.take());
  if (k > 0) {
    linear.tensors.push_back(sign2.take());
    linear.tensors.push_back(row_scale2.take());
    if (l.column_scales) linear.tensors.push_back(column_scale2.take());
  }
  return linear;
}

}  // namespace signum
