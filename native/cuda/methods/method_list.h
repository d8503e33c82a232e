// The methods as quantize() chooses among them. weight [rows, columns] is consumed.
#pragma once

#include "cuda/card.h"
#include "cuda/math/factor.h"
#include "cuda/matrix.h"
#include "methods/quantize.h"

namespace signum::cuda {

PackedLinear quantize_rtn(Card& card, const Recipe& recipe, const DeviceMatrix& weight);
PackedLinear quantize_gptq(Card& card, const Recipe& recipe, DeviceMatrix weight, const DeviceFactor& factor);
PackedLinear quantize_pb_llm(Card& card, const Recipe& recipe, DeviceMatrix weight,
                             const DeviceFactor& factor);
PackedLinear quantize_fdb(Card& card, const Recipe& recipe, DeviceMatrix weight, const DeviceFactor* factor);
PackedLinear quantize_signum_rc(Card& card, const Recipe& recipe, DeviceMatrix weight,
                                const DeviceFactor& factor);

}  // namespace signum::cuda
