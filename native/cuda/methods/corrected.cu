#include "cuda/math/triangular.h"
#include "cuda/methods/corrected.h"

namespace signum::cuda {
namespace {

// to [rows, columns] in stored order; order null: natural.
__global__ void gather_kernel(DeviceView<const float> from, const uint32_t* order, DeviceView<float> to) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= to.rows * to.columns) return;
  const size_t row = i / to.columns, j = i % to.columns;
  to.data[row * to.stride + j] = from.data[row * from.stride + (order ? order[j] : j)];
}

// out = weight + share change, where change is in stored order.
__global__ void add_kernel(DeviceView<const float> weight, float share, DeviceView<const float> change,
                           const uint32_t* order, DeviceView<float> out) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= out.rows * out.columns) return;
  const size_t row = i / out.columns, j = i % out.columns, place = order ? order[j] : j;
  out.data[row * out.stride + place] =
      weight.data[row * weight.stride + place] + share * change.data[row * change.stride + j];
}

}  // namespace

DeviceMatrix corrected(Card& card, const DeviceMatrix& weight, const DeviceMatrix& cross,
                       const DeviceMatrix& residual, double share, const DeviceFactor& factor) {
  Device& device = card.device;
  const size_t m = weight.rows(), n = weight.columns();
  DeviceMatrix wanted(device, m, n, "corrected weights");
  if (residual) device.copy(wanted.data(), residual.data(), m * n * sizeof(float));
  card.blas.gemm(false, false, m, n, n, 1.0f, weight.data(), n, cross.data(), n, residual ? 1.0f : 0.0f,
                 wanted.data(), n);
  const uint32_t* order = factor.order_device.data();
  DeviceMatrix change(device, m, n, "corrected weights");
  launch(device, gather_kernel, one_each(m * n), wanted.view(), order, change.view());
  divide_by_factored(card, factor.r.view(), change.view());
  launch(device, add_kernel, one_each(m * n), weight.view(), float(share), change.view(), order,
         wanted.view());
  return wanted;
}

}  // namespace signum::cuda
