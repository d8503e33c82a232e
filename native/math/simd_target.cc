#include <hwy/highway.h>
#include <hwy/targets.h>

#include "math/linear_algebra.h"

namespace signum {

const char* simd_target_name() {
#ifdef HWY_COMPILE_ONLY_STATIC
  return hwy::TargetName(HWY_STATIC_TARGET);
#else
  // The lowest bit set is the best target that both the machine and this build have.
  const int64_t both = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(both & -both);
#endif
}

}  // namespace signum
