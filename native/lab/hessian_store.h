// Hessians of a model's linear inputs on the disk, so that the next lab on the same model and text finds
// them.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/matrix.h"
#include "model/architecture.h"

namespace signum {

// The folder belongs to one model and one calibration; whoever names it sees to that.
class HessianStore {
 public:
  // No folder: nothing is kept.
  explicit HessianStore(std::optional<std::string> folder) : folder_(std::move(folder)) {}

  // Nothing where there is none of this width, or one that another build made: other kernels round otherwise.
  std::optional<Matrix> find(size_t layer, LinearInput input, size_t width) const;
  // Errors: disk_full, write_failed.
  Status keep(size_t layer, LinearInput input, const Matrix& hessian) const;

 private:
  std::string path(size_t layer, LinearInput input) const;

  std::optional<std::string> folder_;
};

}  // namespace signum
