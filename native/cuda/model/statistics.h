// What an evaluation keeps of logits (evaluate/comparison.h), made where they are.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda {

// As signum::Target.
struct TargetOnCard {
  double loss = 0, reference_loss = 0, kld = 0;
  uint64_t same_top = 0;
};

// logits [rows, vocabulary]; targets, out [rows]: -ln p(target), the rest of out 0. NaN where a row holds no
// finite number.
void losses(Device& device, DeviceView<const float> logits, const uint32_t* targets, TargetOnCard* out);
// As compare_target().
void compare_targets(Device& device, DeviceView<const float> logits, DeviceView<const float> reference,
                     const uint32_t* targets, TargetOnCard* out);

}  // namespace signum::cuda
