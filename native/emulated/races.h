// Tells the thread sanitizer about the threads of kernels: each is one of its own, and only barriers order
// two of a block. Without it (SIGNUM_SANITIZE=races) nothing is told.
#pragma once

#ifdef SIGNUM_WATCH_RACES

#include <sanitizer/tsan_interface.h>

namespace signum::emulated::races {

inline void* new_thread() { return __tsan_create_fiber(0); }
inline void* this_thread() { return __tsan_get_current_fiber(); }
// Going on with another thread orders nothing.
inline void switch_to(void* thread) { __tsan_switch_to_fiber(thread, __tsan_switch_to_fiber_no_sync); }
// What was done before ends_at(x) is seen by whoever begins_at(x) later.
inline void ends_at(void* place) { __tsan_release(place); }
inline void begins_at(void* place) { __tsan_acquire(place); }
inline constexpr unsigned kProcessors = 4;

}  // namespace signum::emulated::races

#else

namespace signum::emulated::races {

inline void* new_thread() { return nullptr; }
inline void* this_thread() { return nullptr; }
inline void switch_to(void*) {}
inline void ends_at(void*) {}
inline void begins_at(void*) {}
inline constexpr unsigned kProcessors = 0;  // as many as the machine has

}  // namespace signum::emulated::races

#endif
