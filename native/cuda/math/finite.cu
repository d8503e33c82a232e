#include <algorithm>

#include "cuda/math/finite.h"

namespace signum::cuda {
namespace {

__global__ void finite_kernel(DeviceView<const float> a, unsigned* found) {
  bool wrong = false;
  for (size_t r = blockIdx.x; r < a.rows; r += gridDim.x)
    for (size_t c = threadIdx.x; c < a.columns; c += blockDim.x)
      wrong |= (float_bits(a.data[r * a.stride + c]) & 0x7F800000u) == 0x7F800000u;
  if (warp_ballot(wrong) != 0 && threadIdx.x % 32 == 0) atomicOr(found, 1u);
}

}  // namespace

bool all_finite(Device& device, DeviceView<const float> a) {
  Array<unsigned> found(device, 1, "a check");
  found.fill(0);
  const unsigned blocks = unsigned(std::min<size_t>(a.rows, device.multiprocessors() * 8));
  launch(device, finite_kernel, Grid{dim3(blocks), dim3(256)}, a, found.data());
  return found.download()[0] == 0;
}

}  // namespace signum::cuda
