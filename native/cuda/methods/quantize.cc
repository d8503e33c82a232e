#include "cuda/methods/quantize.h"

#include "cuda/math/finite.h"
#include "cuda/methods/block_columns.h"
#include "cuda/methods/grouped.h"
#include "cuda/methods/method_list.h"

namespace signum::cuda {
namespace {

PackedLinear by_method(Card& card, const Recipe& recipe, DeviceMatrix weight, const DeviceFactor* factor) {
  switch (recipe.method) {
    case Method::Rtn:
      return quantize_rtn(card, recipe, weight);
    case Method::Gptq:
      return quantize_gptq(card, recipe, std::move(weight), *factor);
    case Method::Fdb:
      return quantize_fdb(card, recipe, std::move(weight), factor);
    case Method::PbLlm:
      return quantize_pb_llm(card, recipe, std::move(weight), *factor);
    case Method::BiLLM:
    case Method::Arb:
    case Method::ArbX:
    case Method::ArbRc:
      return quantize_grouped(card, recipe, std::move(weight), *factor);
    case Method::SignumRc:
      return quantize_signum_rc(card, recipe, std::move(weight), *factor);
  }
  throw Fault{{"internal", "There is no such method on a card.", ""}};
}

}  // namespace

std::string unsupported(const Recipe& recipe) {
  const bool in_blocks = recipe.method != Method::Rtn && recipe.method != Method::Fdb;
  if (in_blocks && recipe.blocksize > kMostWidth)
    return "On a card a block has at most " + std::to_string(kMostWidth) +
           " columns; choose a smaller blocksize or run on the CPU.";
  return "";
}

PackedLinear quantize(Card& card, const Recipe& recipe, DeviceMatrix weight, const DeviceFactor* factor) {
  if (const std::string sentence = unsupported(recipe); !sentence.empty())
    throw Fault{{"recipe_device_unsupported", sentence, ""}};
  const bool finite = weight.size() == 0 || all_finite(card.device, weight.view());
  check(check_problem(recipe, weight.rows(), weight.columns(), finite, factor ? factor->diagonal.size() : 0));
  PackedLinear linear = by_method(card, recipe, std::move(weight), factor);
  check(check_scales(linear));
  if (needs_hessian(recipe)) linear.order = factor->order;
  linear.layout.has_order = bool(linear.order);
  return linear;
}

}  // namespace signum::cuda
