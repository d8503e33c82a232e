// One function per method; quantize() in quantize.cc is the only caller. Weights [rows, columns] in input
// column order.
#pragma once

#include "methods/quantize.h"

namespace signum {

PackedLinear quantize_rtn(const Recipe& recipe, const Matrix& weight, ThreadPool& pool);
// factor: null unless needs_hessian(recipe).
PackedLinear quantize_fdb(const Recipe& recipe, Matrix weight, const Factor* factor, ThreadPool& pool);
PackedLinear quantize_gptq(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool);
PackedLinear quantize_billm(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool);
PackedLinear quantize_pb_llm(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool);
PackedLinear quantize_arb(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool);
PackedLinear quantize_arb_rc(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool);
PackedLinear quantize_signum_rc(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool);

}  // namespace signum
