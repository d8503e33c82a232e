// A packed linear on the card, laid out for products (packed_on_card.h). Its planes take what they take in
// the file, rounded up to tiles of 32 rows and to 32 columns of a block; masks of pb-llm that are stored as
// Elias-Fano code become planes, one bit per weight, with a count for every 256 columns.
#pragma once

#include <vector>

#include "cuda/card.h"
#include "cuda/kernels/packed_on_card.h"
#include "cuda/runtime.h"
#include "methods/packed_view.h"

namespace signum::cuda {

class DevicePacked {
 public:
  DevicePacked() = default;
  // linear: has passed check_view(); it may go when this returns. `what` is named when there is no room.
  static DevicePacked upload(Card& card, const PackedView& linear, const char* what = "packed weights");

  const Layout& layout() const { return layout_; }
  size_t rows() const { return layout_.rows; }
  size_t columns() const { return layout_.columns; }
  // On the card.
  uint64_t bytes() const { return bytes_; }
  const PackedOnCard& on_card() const { return view_; }

 private:
  friend class PackedUpload;
  Layout layout_;
  PackedOnCard view_;
  std::vector<Array<uint8_t>> memory_;
  uint64_t bytes_ = 0;
};

}  // namespace signum::cuda
