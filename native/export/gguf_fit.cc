#include "export/gguf_fit.h"

#include <atomic>

#include "base/pool.h"
#include "export/gguf_blocks.h"

namespace signum {
namespace {

constexpr GgufType kExact[] = {GgufType::Q1_0, GgufType::Q2_0, GgufType::Q4_0, GgufType::Q8_0};
constexpr size_t kNone = size_t(-1);

// One type of one tensor, while its rows go by.
class Candidate {
 public:
  Candidate(GgufType type, const GgufTensor& tensor)
      : traits_(gguf_traits(type)), columns_(tensor.columns), whole_(columns_ % traits_.block == 0) {}

  GgufType type() const { return traits_.type; }
  bool fits() const { return whole_ && misfit_ == kNone; }

  // Whether this row fits; false once an earlier one did not. The first of all that does not fit is kept,
  // whichever thread sees it.
  bool look(const float* row, size_t index) {
    if (!whole_ || index >= misfit_) return false;
    for (size_t i = 0; i < columns_; i += traits_.block) {
      if (fit_gguf_block(traits_.type, row + i)) continue;
      size_t known = misfit_;
      while (index < known && !misfit_.compare_exchange_weak(known, index)) {
      }
      return false;
    }
    return true;
  }

  // "Q1_0 (row 3)", "Q1_0 (rows of 96)"
  std::string why_not() const {
    return std::string(traits_.name) +
           (whole_ ? " (row " + std::to_string(size_t(misfit_)) : " (rows of " + std::to_string(columns_)) +
           ")";
  }

 private:
  const GgufTypeTraits& traits_;
  size_t columns_;
  bool whole_;  // rows are whole blocks
  std::atomic<size_t> misfit_ = kNone;
};

// Sets the tensor's type; returns why it is not a smaller one.
Result<std::string> fit(GgufTensor& tensor, const ExportProgress& progress, uint64_t before, uint64_t total,
                        ThreadPool& pool) {
  std::vector<std::unique_ptr<Candidate>> candidates;
  for (const GgufType type : kExact) candidates.push_back(std::make_unique<Candidate>(type, tensor));
  size_t first = 0;
  SIGNUM_TRY(tensor.produce([&](ConstView rows) -> Status {
    constexpr size_t kBand = 16;
    pool.parallel_for((rows.rows + kBand - 1) / kBand, [&](size_t band) {
      for (size_t i = band * kBand; i < std::min(rows.rows, (band + 1) * kBand); ++i)
        for (const auto& one : candidates)  // each type holds all that those before it hold
          if (one->look(rows.row(i), first + i)) break;
    });
    first += rows.rows;
    return progress(Phase::Fit, before + first * tensor.columns * sizeof(float), total);
  }));
  tensor.type = GgufType::F16;
  std::string reason;
  for (const auto& one : candidates) {
    if (one->fits()) {
      tensor.type = one->type();
      tensor.exact = true;
      break;
    }
    reason += (reason.empty() ? "does not fit " : ", ") + one->why_not();
  }
  return reason.empty() ? "fits" : reason;
}

}  // namespace

Result<std::vector<GgufChoice>> choose_types(std::vector<GgufTensor>& tensors, std::optional<GgufType> type,
                                             const ExportProgress& progress, ThreadPool& pool) {
  std::vector<GgufChoice> choices;
  uint64_t total = 0, done = 0;
  for (const GgufTensor& tensor : tensors)
    if (tensor.rows > 0) total += tensor.elements() * sizeof(float);
  for (size_t i = 0; i < tensors.size(); ++i) {
    GgufTensor& tensor = tensors[i];
    if (tensor.rows == 0) continue;
    if (!type) {
      SIGNUM_TAKE(std::string reason, fit(tensor, progress, done, total, pool));
      done += tensor.elements() * sizeof(float);
      choices.push_back({i, std::move(reason)});
      continue;
    }
    const GgufTypeTraits& traits = gguf_traits(*type);
    tensor.type = tensor.columns % traits.block == 0 ? *type : GgufType::F16;
    if (tensor.type != *type)
      choices.push_back({i, "rows of " + std::to_string(tensor.columns) + " are no whole blocks of " +
                                std::to_string(traits.block)});
  }
  return choices;
}

}  // namespace signum
