// signum-rc (docs/METHODS.md): columns by falling Hessian diagonal, row and column scales, a second sign
// plane on a share of the columns, a third on a share of those, errors propagated column by column, scales
// refitted to the Hessian.
#include "cuda/methods/block_loop.h"
#include "cuda/methods/method_list.h"
#include "cuda/methods/packing.h"
#include "cuda/methods/signum_block.h"
#include "cuda/methods/signum_store.h"

namespace signum::cuda {
namespace {

// Shares of the columns as counts.
size_t count_of(double share, size_t columns) { return size_t(share * double(columns) + 0.5); }

Layout layout_of(const Recipe& recipe, size_t rows, size_t columns) {
  Layout l;
  l.method = Method::SignumRc;
  l.rows = rows;
  l.columns = columns;
  l.scale_type = recipe.scale_type;
  l.blocksize = recipe.blocksize;
  l.column_scales = recipe.column_scales;
  l.second_columns = count_of(recipe.second_plane, columns);
  l.third_columns = count_of(recipe.third_plane, columns);
  return l;
}

// The scalars of one plane, as they are stored.
struct StoredPlane {
  size_t columns, blocks;
  Array<float> row_scale, column_scale;

  StoredPlane(Device& device, const Layout& l, size_t k)
      : columns(k),
        blocks((k + l.blocksize - 1) / l.blocksize),
        row_scale(device, l.rows * blocks, "row scales"),
        column_scale(device, k, "column scales") {}

  // Of the block's columns [start, start + width) those that have this plane.
  unsigned inside(size_t start, size_t width) const {
    return unsigned(start >= columns ? 0 : std::min(width, columns - start));
  }
};

}  // namespace

PackedLinear quantize_signum_rc(Card& card, const Recipe& recipe, DeviceMatrix weight,
                                const DeviceFactor& factor) {
  Device& device = card.device;
  PackedLinear linear;
  const Layout& l = linear.layout = layout_of(recipe, weight.rows(), weight.columns());
  const size_t m = l.rows, n = l.columns;
  StoredPlane planes[kPlanes] = {{device, l, n}, {device, l, l.second_columns}, {device, l, l.third_columns}};
  Array<uint8_t> codes(device, m * n, "codes");
  SignumLinear out{l.scale_type, l.column_scales, {}, {}, {}, codes.data(), n};
  for (size_t k = 0; k < kPlanes; ++k) {
    out.row_scale[k] = planes[k].row_scale.data();
    out.column_scale[k] = planes[k].column_scale.data();
    out.blocks[k] = planes[k].blocks;
  }

  BlockLoop loop(card, std::move(weight), factor, l.blocksize);
  const auto counts_of = [&](size_t start, size_t width) {
    return PlaneCounts{
        {planes[0].inside(start, width), planes[1].inside(start, width), planes[2].inside(start, width)}};
  };
  const size_t widest = std::min(l.blocksize, n);
  SignumBlock fit(card, recipe, m, widest, counts_of(0, widest));
  DeviceMatrix quantized(device, m, widest, "quantized weights of a block");
  for (size_t t = 0; t < loop.blocks(); ++t) {
    loop.enter(t);
    const PlaneCounts counts = counts_of(loop.start(), loop.width());
    const DeviceView<float> values = quantized.view().block(0, 0, m, loop.width());
    fit.fit(loop.current(), loop.r_block(), loop.u_block(), counts);
    store_block(device, out, t, loop.start(), counts, fit.scales(), fit.codes(), values);
    loop.leave_with_quantized(values);
  }
  for (unsigned k = 0; k < kPlanes; ++k) {
    const StoredPlane& plane = planes[k];
    if (plane.columns == 0) continue;
    const std::string suffix = k == 0 ? "" : std::to_string(k + 1);
    linear.tensors.push_back(code_tensor(device, "sign" + suffix, {codes.data(), m, plane.columns, n, 1, k}));
    linear.tensors.push_back(
        scalar_tensor(device, "row_scale" + suffix, l.scale_type, {m, plane.blocks}, plane.row_scale.data()));
    if (l.column_scales)
      linear.tensors.push_back(scalar_tensor(device, "column_scale" + suffix, l.scale_type, {plane.columns},
                                             plane.column_scale.data()));
  }
  return linear;
}

}  // namespace signum::cuda
