#include "methods/quantize.h"

#include "math/linear_algebra.h"
#include "methods/method_list.h"

namespace signum {

Result<PackedLinear> quantize(const Recipe& recipe, Matrix weight, const Factor* factor, ThreadPool& pool) {
  if (weight.rows() == 0 || weight.columns() == 0)
    return Error{"internal", "A linear without rows or columns cannot be quantized.", ""};
  if (!all_finite(weight.view(), pool))
    return Error{"weights_not_finite", "A weight is NaN or infinity.", ""};
  if (recipe.method == Method::Rtn) return quantize_rtn(recipe, weight, pool);
  if (!factor || factor->r.rows() != weight.columns())
    return Error{"internal", "This method needs the factor of its input's Hessian.", ""};
  PackedLinear linear;
  switch (recipe.method) {
    case Method::Gptq:
      linear = quantize_gptq(recipe, std::move(weight), *factor, pool);
      break;
    case Method::BiLLM:
      linear = quantize_billm(recipe, std::move(weight), *factor, pool);
      break;
    case Method::ArbRc:
      linear = quantize_arb_rc(recipe, std::move(weight), *factor, pool);
      break;
    case Method::SignumRc:
      linear = quantize_signum_rc(recipe, std::move(weight), *factor, pool);
      break;
    case Method::Rtn:
      break;
  }
  linear.order = factor->order;
  linear.layout.has_order = bool(factor->order);
  return linear;
}

}  // namespace signum
