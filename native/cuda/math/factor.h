// The factor of the damped Hessian on the card, in the same steps as math/factor.h: H = R R^T with R upper
// triangular. The Hessian stays on the card; only its diagonal is read back.
#pragma once

#include "cuda/card.h"
#include "cuda/matrix.h"
#include "math/factor.h"

namespace signum::cuda {

// As signum::Factor, whose words hold for the members of the same name.
struct DeviceFactor {
  DeviceMatrix r;
  Array<uint8_t> dead;
  std::vector<uint8_t> dead_host;
  std::shared_ptr<const std::vector<uint32_t>> order;
  Array<uint32_t> order_device;  // empty: natural
  DeviceMatrix blocks;  // with keep_blocks: [columns, keep_blocks], block after block; zeros where the
                        // last one ends earlier
  std::vector<float> diagonal;
  double damping_used = 0;
  std::vector<std::string> notes;
};

// hessian [n, n] undamped, symmetric to the last bit. Fault factor_failed, calibration_not_finite,
// device_memory_short.
DeviceFactor factorize(Card& card, const DeviceMatrix& hessian, const FactorOptions& options);

}  // namespace signum::cuda
