// The kernels that math/factor.h needs around the Cholesky factor.
#pragma once

#include "cuda/matrix.h"

namespace signum::cuda::own {

// diagonal [n] of a.
void copy_diagonal(Device& device, DeviceView<const float> a, float* diagonal);

// out[i, j] for j <= i: H [n, n] permuted and reversed, with diagonal[column] + damp on its diagonal. order:
// [n] or null; out [n, n] without gaps.
template <class T>
void copy_reversed(Device& device, DeviceView<const float> h, const float* diagonal, const uint32_t* order,
                   T damp, T* out);

// r = the lower factor L [n, n] with rows and columns reversed, zeros below the diagonal. F32 in its own
// place.
void reverse_in_place(Device& device, DeviceView<float> r);
void reverse(Device& device, const double* l, DeviceView<float> r);

// Every element of the diagonal is finite and above 0. Waits for the stream.
bool diagonal_positive(Device& device, DeviceView<const float> r);

// blocks [n, width]: DeviceFactor::blocks.
void copy_blocks(Device& device, DeviceView<const float> h, const uint32_t* order, bool identity,
                 DeviceView<float> blocks);

}  // namespace signum::cuda::own
