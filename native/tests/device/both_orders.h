// A kernel that lacks a barrier shows it on the emulated device, whose threads run in rising or falling
// order.
#pragma once

#ifdef SIGNUM_EMULATED
#include "emulated/machine.h"
#endif

namespace signum {

// work() once on a card, and once in each order on the emulated device.
template <class Work>
void in_both_orders(Work&& work) {
#ifdef SIGNUM_EMULATED
  emulated::run_threads_in(emulated::Order::Falling);
  work();
  emulated::run_threads_in(emulated::Order::Rising);
#endif
  work();
}

}  // namespace signum
