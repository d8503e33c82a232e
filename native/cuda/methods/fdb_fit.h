// The scales and planes of groups of fdb (methods/fdb_fit.h), a thread a row of a group: the CPU's sums in
// the CPU's order.
#pragma once

#include "cuda/runtime.h"
#include "methods/quantize.h"

namespace signum::cuda {

// The linear that is being filled.
struct FdbPlanes {
  size_t group, groups;
  Array<float> scales;   // a1 [rows, groups], then a2, as stored
  Array<uint8_t> codes;  // [rows, columns]: bit 0 the first plane, bit 1 the second

  FdbPlanes(Device& device, size_t rows, size_t columns, size_t group_)
      : group(group_),
        groups((columns + group - 1) / group),
        scales(device, 2 * rows * groups, "scales"),
        codes(device, rows * columns, "codes") {}
};

// Fits the groups that begin at `column` or later and lie in weight [rows, width], column a multiple of
// the group. importance [columns of the linear]. error [rows, width], where it is wanted: (weight - value)
// r_jj with r [width, width].
void fdb_fit(Device& device, const Recipe& recipe, DeviceView<const float> weight, size_t column,
             const float* importance, FdbPlanes& planes, DeviceView<const float> r = {},
             DeviceView<float> error = {});

}  // namespace signum::cuda
