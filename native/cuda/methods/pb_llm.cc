// PB-LLM after training (PB-GPTQ, arXiv 2310.00034): a share of the weights, wherever they are, keeps codes
// of several bits, the others become signs with a mean and a scale; errors propagated column by column.
#include "cuda/methods/block_loop.h"
#include "cuda/methods/method_list.h"
#include "cuda/methods/packing.h"
#include "cuda/methods/pb_llm_columns.h"
#include "cuda/methods/salient_weights.h"
#include "methods/bit_streams.h"
#include "methods/salient_mask.h"
#include "methods/salient_weights.h"

namespace signum::cuda {
namespace {

Layout layout_of(const Recipe& recipe, size_t rows, size_t columns) {
  Layout l;
  l.method = Method::PbLlm;
  l.rows = rows;
  l.columns = columns;
  l.scale_type = recipe.scale_type;
  l.group = recipe.group_columns(columns);
  l.salient_bits = recipe.bits;
  l.salient_weights = signum::salient_of_linear(rows, columns, l.group, recipe.salient_share);
  l.mask_low_bits = choose_mask_low_bits(rows, columns, l.salient_weights);
  return l;
}

// The mask's tensors, then the codes of the salient weights.
struct SalientTensors {
  std::vector<PackedTensor> mask;
  PackedTensor codes;
};

PackedTensor count_tensor(const TensorRule& rule, const std::vector<unsigned>& counts) {
  const size_t width = dtype_bytes(rule.dtype);
  PackedTensor tensor{rule.role, rule.dtype, rule.shape, std::vector<uint8_t>(counts.size() * width)};
  for (size_t i = 0; i < counts.size(); ++i) std::memcpy(tensor.bytes.data() + i * width, &counts[i], width);
  return tensor;
}

SalientTensors salient_tensors(Device& device, const Recipe& recipe, const Layout& l,
                               const PbLlmProblem& problem, const uint8_t* codes) {
  const size_t count = l.salient_weights;
  const std::vector<TensorRule> rules = mask_rules(l);
  Array<unsigned> counts(device, l.rows, "salient weights"), starts(device, l.rows, "salient weights");
  Array<uint32_t> columns(device, count, "salient weights");
  Array<uint8_t> own(device, count, "salient weights");
  Array<unsigned> high;
  if (l.mask_low_bits > 0) {
    high = Array<unsigned>(device, (rules[2].shape[0] + 3) / 4, "salient weights");
    high.fill(0);
  }
  count_salient(device, problem, counts.data(), starts.data());
  order_salient(device, recipe, problem, codes,
                {starts.data(), columns.data(), own.data(), high.data(), l.mask_low_bits ? high_zeros(l) : 0,
                 unsigned(l.mask_low_bits)});
  SalientTensors out;
  out.mask.push_back(count_tensor(rules[0], counts.download()));
  if (l.mask_low_bits == 0) {
    out.mask.push_back(code_tensor(device, "mask", {problem.salient, l.rows, l.columns, l.columns, 1}));
  } else {
    out.mask.push_back(code_stream(device, "mask_low", columns.data(), count, unsigned(l.mask_low_bits)));
    PackedTensor bits{"mask_high", DType::U8, rules[2].shape, std::vector<uint8_t>(rules[2].shape[0])};
    device.download(bits.bytes.data(), high.data(), bits.bytes.size());
    out.mask.push_back(std::move(bits));
  }
  out.codes = code_stream(device, "code", own.data(), count, unsigned(l.salient_bits) - 1);
  return out;
}

}  // namespace

PackedLinear quantize_pb_llm(Card& card, const Recipe& recipe, DeviceMatrix weight,
                             const DeviceFactor& factor) {
  Device& device = card.device;
  PackedLinear linear;
  const Layout& l = linear.layout = layout_of(recipe, weight.rows(), weight.columns());
  const size_t m = l.rows, n = l.columns, groups = (n + l.group - 1) / l.group;

  // All scalars are made of the weights as they were, before any error is passed on.
  Array<uint8_t> salient(device, m * n, "salient weights"), codes(device, m * n, "codes");
  Array<float> mean(device, m * groups, "means"), scale(device, m * groups, "scales");
  const PbLlmProblem problem{m, n, l.group, groups, salient.data()};
  {
    Array<float> column_weight(device, n, "weights of columns");
    salience_of_columns(device, factor.r.view(), factor.dead.data(), recipe.salience == Salience::Hessian,
                        column_weight.data());
    find_salient(device, weight.view(), column_weight.data(), l.group, recipe.salient_share, salient.data());
  }
  DeviceGrids grids(device, m, 1);  // of whole rows, dead columns included
  fit_grids(device, recipe, weight.view(), n, grids);
  pb_llm_levels(device, recipe, problem, weight.data(), factor.dead.data(), mean.data(), scale.data());

  BlockLoop loop(card, std::move(weight), factor, recipe.blocksize);
  DeviceMatrix quantized(device, m, std::min(recipe.blocksize, n), "quantized weights of a block");
  for (size_t t = 0; t < loop.blocks(); ++t) {
    loop.enter(t);
    const DeviceView<float> values = quantized.view().block(0, 0, m, loop.width());
    pb_llm_columns(device, recipe, problem, loop.start(), mean.data(), scale.data(), grids,
                   {loop.current(), loop.u_block(), loop.r_block(), codes.data() + loop.start(), n, values});
    loop.leave_with_quantized(values);
  }
  SalientTensors own = salient_tensors(device, recipe, l, problem, codes.data());
  linear.tensors = std::move(own.mask);
  linear.tensors.push_back(
      code_tensor(device, "sign", {codes.data(), m, n, n, 1, unsigned(l.salient_bits) - 1}));
  linear.tensors.push_back(std::move(own.codes));
  linear.tensors.push_back(scalar_tensor(device, "mean", l.scale_type, {m, groups}, mean.data()));
  linear.tensors.push_back(scalar_tensor(device, "scale", l.scale_type, {m, groups}, scale.data()));
  linear.tensors.push_back(scalar_tensor(device, "code_scale", l.scale_type, {m}, grids.step.data()));
  linear.tensors.push_back(byte_tensor(device, "code_zero", {m}, grids.zero.data()));
  return linear;
}

}  // namespace signum::cuda
