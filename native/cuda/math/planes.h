// F32 numbers as sums of numbers of 16 bits, for products on tensor cores that come out as good as F32's.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda::own {

// Elements from row to row of a plane of this many columns: rows begin aligned.
inline size_t plane_stride(size_t columns) { return (columns + 7) / 8 * 8; }

// a = the sum of 3 planes of BF16, each the rest rounded: exact but for 2^-24 of each number. planes [3,
// rows, plane_stride(columns)]
void split_bfloat(Device& device, DeviceView<const float> a, uint16_t* planes);

// a = scales[row] times the sum of 2 planes of F16. The scale is the power of two that brings the row's
// largest number to 2^14: exact but for 2^-22 of each number or 2^-39 of the row's largest one. planes [2,
// rows, plane_stride(columns)], scales [rows]
void split_half(Device& device, DeviceView<const float> a, uint16_t* planes, float* scales);

// out = beta out + scales[row] a; a may be out. beta 0: out is not read.
void scale_rows(Device& device, DeviceView<const float> a, const float* scales, float beta,
                DeviceView<float> out);

// The upper triangle of c [n, n] = the lower one, mirrored.
void mirror_lower(Device& device, DeviceView<float> c);

}  // namespace signum::cuda::own
