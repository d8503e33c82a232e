// Round to nearest (arXiv 2210.17323): no calibration, dead columns are not touched. The CPU's bytes.
#include "cuda/methods/grid.h"
#include "cuda/methods/method_list.h"

namespace signum::cuda {

PackedLinear quantize_rtn(Card& card, const Recipe& recipe, const DeviceMatrix& weight) {
  const size_t m = weight.rows(), n = weight.columns(), group = recipe.group_columns(n);
  DeviceGrids grids(card.device, m, (n + group - 1) / group);
  Array<uint8_t> codes(card.device, m * n, "codes");
  fit_grids(card.device, recipe, weight.view(), group, grids);
  grid_codes(card.device, recipe, weight.view(), group, grids, codes.data());
  return coded_linear(card.device, recipe, m, n, codes.data(), grids);
}

}  // namespace signum::cuda
