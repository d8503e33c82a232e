// Products of F32 matrices made of products of 16-bit ones (math/planes.h), whoever makes those.
#pragma once

#include <functional>

#include "cuda/math/gemm.h"

namespace signum::cuda::own {

using MultiplyHalves = std::function<void(const Product<float, uint16_t, uint16_t>&)>;

// Both operands in three BF16 parts, six products of parts. One product, not a batch.
void multiply_split(Device& device, const Product<float, float>& product, const MultiplyHalves& multiply);

// Lower triangle of c [n, n] += alpha X^T X in the same way; above the diagonal anything may be left. x
// [tokens, n]
void add_lower_gram_split(Device& device, float alpha, DeviceView<const float> x, DeviceView<float> c,
                          const MultiplyHalves& multiply);

// B as stored, A in two F16 or three BF16 parts. A as it is and B transposed, alpha 1, one product, not a
// batch. room: bytes that the parts may take, for as many times 128 rows as fit, at least once.
void multiply_stored(Device& device, const Product<float, uint16_t>& product, const MultiplyHalves& multiply,
                     size_t room = size_t(64) << 20);

}  // namespace signum::cuda::own
