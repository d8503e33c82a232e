#include "methods/quantize.h"

#include <cstring>

#include "math/finite.h"
#include "methods/method_list.h"

namespace signum {
namespace {

// False where a scale grew beyond F16 (65,504): a reader would find infinities.
bool scalars_finite(const PackedLinear& linear) {
  for (const PackedTensor& tensor : linear.tensors) {
    if (tensor.dtype != linear.layout.scale_type) continue;
    const uint32_t exponent = tensor.dtype == DType::F16    ? 0x7C00
                              : tensor.dtype == DType::BF16 ? 0x7F80
                                                            : 0x7F800000;
    const size_t size = dtype_bytes(tensor.dtype);
    for (size_t at = 0; at < tensor.bytes.size(); at += size) {
      uint32_t bits = 0;
      std::memcpy(&bits, tensor.bytes.data() + at, size);
      if ((bits & exponent) == exponent) return false;
    }
  }
  return true;
}

}  // namespace

Status check_problem(const Recipe& recipe, size_t rows, size_t columns, bool finite,
                     size_t columns_factored) {
  if (rows == 0 || columns == 0)
    return Error{"internal", "A linear without rows or columns cannot be quantized.", ""};
  if (!finite) return Error{"weights_not_finite", "A weight is NaN or infinity.", ""};
  if (needs_hessian(recipe) && columns_factored != columns)
    return Error{"internal", "This method needs the factor of its input's Hessian.", ""};
  return {};
}

Status check_scales(const PackedLinear& linear) {
  if (scalars_finite(linear)) return {};
  return Error{"scales_overflow",
               "The scales of this linear do not fit the storage type; choose scale_type f32 or bf16.", ""};
}

Result<PackedLinear> quantize(const Recipe& recipe, Matrix weight, const Factor* factor, ThreadPool& pool) {
  SIGNUM_TRY(check_problem(recipe, weight.rows(), weight.columns(), all_finite(weight.view(), pool),
                           factor ? factor->diagonal.size() : 0));
  PackedLinear linear;
  switch (recipe.method) {
    case Method::Gptq:
      linear = quantize_gptq(recipe, std::move(weight), *factor, pool);
      break;
    case Method::BiLLM:
      linear = quantize_billm(recipe, std::move(weight), *factor, pool);
      break;
    case Method::PbLlm:
      linear = quantize_pb_llm(recipe, std::move(weight), *factor, pool);
      break;
    case Method::Arb:
    case Method::ArbX:
      linear = quantize_arb(recipe, std::move(weight), *factor, pool);
      break;
    case Method::ArbRc:
      linear = quantize_arb_rc(recipe, std::move(weight), *factor, pool);
      break;
    case Method::SignumRc:
      linear = quantize_signum_rc(recipe, std::move(weight), *factor, pool);
      break;
    case Method::Rtn:
      linear = quantize_rtn(recipe, weight, pool);
      break;
    case Method::Fdb:
      linear = quantize_fdb(recipe, std::move(weight), factor, pool);
      break;
  }
  SIGNUM_TRY(check_scales(linear));
  if (needs_hessian(recipe)) linear.order = factor->order;
  linear.layout.has_order = bool(linear.order);
  return linear;
}

}  // namespace signum
