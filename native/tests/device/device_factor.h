// A factor that the CPU made, on the card: what is tested with it then starts from the same numbers.
#pragma once

#include "cuda/math/factor.h"
#include "on_card.h"

namespace signum {

inline cuda::DeviceFactor on_card(const Factor& factor) {
  cuda::Device& device = test_device();
  cuda::DeviceFactor made;
  made.r = on_card(factor.r);
  made.dead = cuda::Array<uint8_t>(device, factor.dead.size(), "a test");
  made.dead.upload(factor.dead);
  made.dead_host = factor.dead;
  made.order = factor.order;
  if (factor.order) {
    made.order_device = cuda::Array<uint32_t>(device, factor.order->size(), "a test");
    made.order_device.upload(*factor.order);
  }
  if (!factor.blocks.empty()) {
    Matrix blocks(factor.dead.size(), factor.blocks[0].columns());
    size_t row = 0;
    for (const Matrix& block : factor.blocks)
      for (size_t i = 0; i < block.rows(); ++i, ++row)
        std::copy_n(block.row(i), block.columns(), blocks.row(row));
    made.blocks = on_card(blocks);
  }
  made.diagonal = factor.diagonal;
  made.damping_used = factor.damping_used;
  made.notes = factor.notes;
  device.stream().wait();
  return made;
}

}  // namespace signum
