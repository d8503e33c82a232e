// What BiLLM and the ARB methods store of a linear, made on the card block by block (docs/FORMAT.md). Mirrors
// methods/grouped_block.h.
#pragma once

#include "cuda/methods/group_fits.h"
#include "cuda/runtime.h"
#include "methods/packed_linear.h"

namespace signum::cuda {

// A block's fit, ready to be stored. Of arb-rc `fit.scale` are the row scales and there are no means: those
// of salient group g and order o in slot o * salient groups + g, likewise column scales and factors; behind
// them the others' groups.
struct FittedBlock {
  GroupFit fit;
  const uint32_t* order;      // [width]
  DeviceView<const float> r;  // of the block
  size_t block, start;
  const float* column_scale;  // arb-rc: [slots][width], by tile column
  const float* factor;        // arb-rc: [slots], of the row scales
  const float* signs;         // of the columns that are not salient: the bits are those of these numbers >= 0
  DeviceView<float> error;    // (weight - value) / U_jj [rows, width]: out
};

class GroupedPlanes {
 public:
  GroupedPlanes(Device& device, const Layout& layout);

  // One for each column, 1 where it is salient; to be written by the search.
  uint8_t* salient() const { return salient_.data(); }
  // Rounds the block's scalars to the storage type, stores them and the planes, and makes the error from what
  // a reader will see.
  void put(const FittedBlock& block);
  // The linear, on the host. Waits.
  PackedLinear take();

 private:
  PackedTensor plane(const char* role, const Array<uint32_t>& words, size_t width) const;
  PackedTensor scalars(const char* role, const Array<uint8_t>& from, std::vector<size_t> shape) const;

  Device& device_;
  Layout layout_;
  size_t words_;                                          // of a row of a plane as wide as the linear
  Array<uint32_t> sign_, plane2_, group2_, second_;       // [rows][words]
  Array<uint8_t> salient_, scale_, mean_, column_scale_;  // scalars as they are stored
};

}  // namespace signum::cuda
