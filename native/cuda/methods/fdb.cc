// Flexible Dual Binarization, the part of DB-LLM (arXiv 2402.11960) that needs no training: two planes of 0
// and 1 with a scale each, fitted to every group of a row by itself. Without propagation the CPU's bytes.
#include "cuda/methods/block_loop.h"
#include "cuda/methods/fdb_fit.h"
#include "cuda/methods/method_list.h"
#include "cuda/methods/packing.h"
#include "methods/fdb_fit.h"

namespace signum::cuda {
namespace {

// Each group from its weights as updated by the errors of the groups before it. Columns of one group do not
// see each other's errors: they are fitted together (docs/METHODS.md).
void fit_with_propagation(Card& card, const Recipe& recipe, DeviceMatrix weight, const DeviceFactor& factor,
                          const float* importance, FdbPlanes& planes) {
  BlockLoop loop(card, std::move(weight), factor, planes.group);
  DeviceMatrix error(card.device, loop.rows(), planes.group, "errors of a block");
  for (size_t t = 0; t < loop.blocks(); ++t) {
    loop.enter(t);
    const DeviceView<float> own = error.view().block(0, 0, loop.rows(), loop.width());
    fdb_fit(card.device, recipe, loop.current(), loop.start(), importance, planes, loop.r_block(), own);
    loop.leave_with_error(own);
  }
}

}  // namespace

PackedLinear quantize_fdb(Card& card, const Recipe& recipe, DeviceMatrix weight, const DeviceFactor* factor) {
  Device& device = card.device;
  const size_t m = weight.rows(), n = weight.columns(), group = recipe.group_columns(n);
  FdbPlanes planes(device, m, n, group);
  const std::vector<float> importance =
      fdb_importance(recipe, factor ? &factor->diagonal : nullptr, n, group);
  Array<float> on_card(device, n, "importance of columns");
  on_card.upload(importance);
  if (recipe.propagation)
    fit_with_propagation(card, recipe, std::move(weight), *factor, on_card.data(), planes);
  else
    fdb_fit(device, recipe, weight.view(), 0, on_card.data(), planes);

  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = Method::Fdb;
  l.rows = m;
  l.columns = n;
  l.scale_type = recipe.scale_type;
  l.group = group;
  linear.tensors.push_back(code_tensor(device, "sign", {planes.codes.data(), m, n, n, 1, 0}));
  linear.tensors.push_back(code_tensor(device, "plane2", {planes.codes.data(), m, n, n, 1, 1}));
  linear.tensors.push_back(
      scalar_tensor(device, "scale", l.scale_type, {2, m, planes.groups}, planes.scales.data()));
  return linear;
}

}  // namespace signum::cuda
