#include "model/ends.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "base/pool.h"
#include "math/finite.h"
#include "math/linear_algebra.h"
#include "model/row_operations.h"

namespace signum {

Status check_tokens(const Model& model, std::span<const uint32_t> tokens) {
  const size_t vocabulary = model.config().vocabulary;
  for (size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] >= vocabulary)
      return Error{"tokens_invalid",
                   "The token id " + std::to_string(tokens[i]) + " at place " + std::to_string(i) +
                       " is outside the vocabulary of " + std::to_string(vocabulary) + ".",
                   ""};
  return {};
}

Status embed(const Model& model, std::span<const uint32_t> tokens, View out, ThreadPool& pool) {
  constexpr size_t kBandTokens = 64;
  const TensorView& table = model.embedding_table();
  const size_t width = model.config().hidden, row_bytes = width * dtype_bytes(table.dtype);
  std::atomic<bool> finite{true};
  pool.parallel_for((tokens.size() + kBandTokens - 1) / kBandTokens, [&](size_t band) {
    for (size_t i = band * kBandTokens; i < std::min(tokens.size(), (band + 1) * kBandTokens); ++i) {
      to_f32(table.dtype, table.bytes.data() + tokens[i] * row_bytes, width, out.row(i));
      if (!all_finite(out.row(i), width)) finite = false;
    }
  });
  if (!finite) return Error{"weights_not_finite", "The tensor " + table.name + " holds NaN or infinity.", ""};
  return {};
}

Result<Head> Head::load(const Model& model, ThreadPool& pool) {
  Head head;
  SIGNUM_TAKE(head.norm_, Model::to_matrix(*model.find(model.config().architecture->final_norm), pool));
  SIGNUM_TAKE(head.table_, Model::to_matrix(model.head_table(), pool));
  head.epsilon_ = model.config().norm_epsilon;
  return head;
}

void Head::logits(ConstView hidden, View logits, ThreadPool& pool) const {
  Matrix normed(hidden.rows, hidden.columns);
  pool.parallel_for(hidden.rows, [&](size_t i) {
    rms_norm(hidden.row(i), norm_.data(), epsilon_, normed.row(i), hidden.columns);
  });
  gemm_transposed(1.0f, normed.view(), table_.view(), 0.0f, logits, pool);
}

}  // namespace signum
