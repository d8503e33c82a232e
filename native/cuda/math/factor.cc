#include "cuda/math/factor.h"

#include "cuda/math/factor_kernels.h"
#include "cuda/math/finite.h"
#include "cuda/math/triangular.h"
#include "math/factor_plan.h"

namespace signum::cuda {
namespace {

constexpr const char* kWhat = "the Hessian's factor";

template <class T>
Array<T> on_card(Device& device, const std::vector<T>& from) {
  Array<T> array(device, from.size(), kWhat);
  array.upload(from);
  return array;
}

// Factors P (H + damp I) P^T reversed, so that its lower factor is R reversed; F32 in R's own place. False
// when not positive definite.
bool factor_once(Card& card, DeviceView<const float> h, const float* diagonal, const uint32_t* order,
                 bool f64, double damp, DeviceView<float> r) {
  Device& device = card.device;
  const size_t n = h.rows;
  if (f64) {
    const Array<double> l(device, n * n, kWhat);
    own::copy_reversed(device, h, diagonal, order, damp, l.data());
    cholesky(card, n, l.data(), n);
    own::reverse(device, l.data(), r);
  } else {
    own::copy_reversed(device, h, diagonal, order, float(damp), r.data);
    cholesky(card, n, r.data, n);
    own::reverse_in_place(device, r);
  }
  return own::diagonal_positive(device, r);
}

}  // namespace

DeviceFactor factorize(Card& card, const DeviceMatrix& hessian, const FactorOptions& options) {
  Device& device = card.device;
  const size_t n = hessian.rows();
  const DeviceView<const float> h = hessian.view();
  Array<float> diagonal(device, n, kWhat);
  own::copy_diagonal(device, h, diagonal.data());
  if (!all_finite(device, h))
    throw Fault{{"calibration_not_finite", "The Hessian holds NaN or infinity.", ""}};

  FactorPlan plan = plan_factor(diagonal.download(), options);
  DeviceFactor factor;
  factor.dead = on_card(device, plan.dead);
  factor.order = plan.order;
  if (plan.order) factor.order_device = on_card(device, *plan.order);
  factor.diagonal = std::move(plan.stored_diagonal);
  factor.notes = std::move(plan.notes);
  diagonal.upload(plan.diagonal);
  device.stream().wait();  // the host's copies may go
  factor.dead_host = std::move(plan.dead);
  if (options.diagonal_only) return factor;

  const uint32_t* order = factor.order_device.data();
  if (options.keep_blocks > 0) {
    factor.blocks = DeviceMatrix(device, n, options.keep_blocks, kWhat);
    own::copy_blocks(device, h, order, plan.identity, factor.blocks.view());
  }
  factor.r = DeviceMatrix(device, n, n, kWhat);
  check(climb_damping(
      options.damping,
      [&](bool f64, double damping) {
        return factor_once(card, h, diagonal.data(), order, f64, damping * plan.mean, factor.r.view());
      },
      &factor.damping_used, &factor.notes));
  return factor;
}

}  // namespace signum::cuda
