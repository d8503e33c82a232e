// GPTQ (arXiv 2210.17323): integer grids per row and group, error propagated column by column.
#include "cuda/methods/block_loop.h"
#include "cuda/methods/gptq_columns.h"
#include "cuda/methods/method_list.h"

namespace signum::cuda {
namespace {

// A block of one group that is wider than a row's registers: its grid from all its columns first, then parts
// of them, errors passed on to the later parts as products.
void wide_group(Card& card, const Recipe& recipe, size_t g, DeviceGrids& grids, DeviceView<float> current,
                const BlockColumns& block) {
  const size_t m = current.rows, width = current.columns;
  fit_grids(card.device, recipe, current, width, grids, g);
  DeviceMatrix error(card.device, m, kMostWidth, "errors of a block");
  for (size_t begin = 0; begin < width; begin += kMostWidth) {
    const size_t own = std::min<size_t>(kMostWidth, width - begin), later = width - begin - own;
    BlockColumns part = block;
    part.weight = current.block(0, begin, m, own);
    part.u = block.u.block(begin, begin, own, own);
    part.r = block.r.block(begin, begin, own, own);
    part.codes += begin;
    part.quantized = block.quantized.block(0, begin, m, own);
    part.error = error.view();
    gptq_columns(card.device, recipe, 0, g, grids, part);
    if (later > 0)
      card.blas.gemm(false, false, m, later, own, -1.0f, error.data(), kMostWidth,
                     block.u.block(begin, begin + own, own, later).data, block.u.stride, 1.0f,
                     current.block(0, begin + own, m, later).data, current.stride);
  }
}

}  // namespace

PackedLinear quantize_gptq(Card& card, const Recipe& recipe, DeviceMatrix weight,
                           const DeviceFactor& factor) {
  const size_t m = weight.rows(), n = weight.columns(), group = recipe.group_columns(n);
  DeviceGrids grids(card.device, m, (n + group - 1) / group);
  Array<uint8_t> codes(card.device, m * n, "codes");
  // Grids of whole rows are made of the weights as they were, dead columns included: as published.
  const bool whole_row = grids.groups == 1;
  if (whole_row) fit_grids(card.device, recipe, weight.view(), group, grids);
  // Propagation inside a block makes the result independent of the block's width, so a block may hold any
  // number of whole groups.
  const size_t blocksize = whole_row ? recipe.blocksize : std::max(recipe.blocksize, group) / group * group;
  BlockLoop loop(card, std::move(weight), factor, blocksize);
  DeviceMatrix quantized(card.device, m, std::min(blocksize, n), "quantized weights of a block");
  for (size_t t = 0; t < loop.blocks(); ++t) {
    loop.enter(t);
    const size_t g = whole_row ? 0 : loop.start() / group;
    const DeviceView<float> values = quantized.view().block(0, 0, m, loop.width());
    const BlockColumns block{loop.current(), loop.u_block(), loop.r_block(), codes.data() + loop.start(), n,
                             values};
    if (loop.width() > kMostWidth)
      wide_group(card, recipe, g, grids, loop.current(), block);
    else
      gptq_columns(card.device, recipe, whole_row ? 0 : group, g, grids, block);
    loop.leave_with_quantized(values);
  }
  return coded_linear(card.device, recipe, m, n, codes.data(), grids);
}

}  // namespace signum::cuda
