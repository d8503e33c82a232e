// The residual stream of all sequences between two decoder layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "base/matrix.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

// Where activations may live. They take sequences * length * hidden * 4 bytes (128 x 2048 tokens of width
// 4096: 4 GiB) and are updated in place, so there is one store and never two.
struct ActivationLimit {
  size_t memory_bytes = size_t(4) << 30;  // up to here in memory, above in a file
  std::string folder;                     // for that file; empty = the system's folder for temporary files
};

// [sequences, length, hidden] F32. In a file it is mapped and unlinked at once: nothing is left behind,
// whatever happens.
class Activations {
 public:
  // Zero-filled. Errors: disk_full, write_failed, memory_short.
  static Result<Activations> create(size_t sequences, size_t length, size_t hidden,
                                    const ActivationLimit& limit);
  // create(), then embed() of each sequence. tokens [sequences * length]. Adds:
  // weights_not_finite.
  static Result<Activations> embedded(const Model& model, std::span<const uint32_t> tokens, size_t length,
                                      const ActivationLimit& limit, ThreadPool& pool);
  Activations(Activations&&) noexcept;
  Activations& operator=(Activations&&) noexcept;
  ~Activations();

  size_t sequences() const { return sequences_; }
  size_t length() const { return length_; }
  size_t hidden() const { return hidden_; }
  bool in_file() const { return in_file_; }
  // Sequences first to first + count - 1 as [count * length, hidden].
  View batch(size_t first, size_t count);
  ConstView batch(size_t first, size_t count) const;

 private:
  Activations() = default;

  size_t sequences_ = 0;
  size_t length_ = 0;
  size_t hidden_ = 0;
  bool in_file_ = false;
  float* data_ = nullptr;  // mapped, anonymous or of the file
  size_t bytes_ = 0;
};

}  // namespace signum
