#include "model/ends.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "math/linear_algebra.h"
#include "model/row_operations.h"
#include "model/rows.h"

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

namespace {

// The embedding table is narrower (or wider) than the residual stream: in batches, for the rows between.
Status look_up_projected(const Model& model, std::span<const uint32_t> tokens, View out, ThreadPool& pool) {
  constexpr size_t kBatch = 4096;
  SIGNUM_TAKE(const MappedMatrix project,
              MappedMatrix::of(*model.find(model.config().architecture->project_in), pool));
  Matrix narrow(std::min(kBatch, tokens.size()), model.embedding_table().columns());
  for (size_t first = 0; first < tokens.size(); first += kBatch) {
    const size_t count = std::min(kBatch, tokens.size() - first);
    const View rows = narrow.view().block(0, 0, count, narrow.columns());
    SIGNUM_TRY(model.embedding_table().look_up(tokens.subspan(first, count), rows, pool));
    project.multiply(rows, 0.0f, out.block(first, 0, count, out.columns), pool);
  }
  return {};
}

}  // namespace

Status embed(const Model& model, std::span<const uint32_t> tokens, size_t length, View out, ThreadPool& pool,
             size_t first) {
  const ModelConfig& config = model.config();
  const Architecture& architecture = *config.architecture;
  if (has_projections(config))
    SIGNUM_TRY(look_up_projected(model, tokens, out, pool));
  else
    SIGNUM_TRY(model.embedding_table().look_up(tokens, out, pool));
  if (config.embedding_scale != 1)
    for_rows(out.rows, pool,
             [&](size_t i) { scale_row(out.row(i), float(config.embedding_scale), out.columns); });
  if (!architecture.positions) return {};
  // Those of one sequence.
  std::vector<uint32_t> places(std::min(length, out.rows));
  std::iota(places.begin(), places.end(), uint32_t(architecture.position_offset + first));
  Matrix positions = Matrix::uninitialized(places.size(), out.columns);
  SIGNUM_TRY(Table(*model.find(architecture.positions)).look_up(places, positions.view(), pool));
  for_rows(out.rows, pool, [&](size_t i) { add_row(out.row(i), positions.row(i % length), out.columns); });
  return {};
}

Result<Head> Head::load(const Model& model, ThreadPool& pool, WeightForm form) {
  const ModelConfig& config = model.config();
  const Architecture& architecture = *config.architecture;
  Head head;
  if (config.final_norm) {
    SIGNUM_TAKE(head.norm_, Norm::load(model, architecture.final_norm, pool));
  }
  if (has_projections(config)) {
    SIGNUM_TAKE(head.project_out_, Model::to_matrix(*model.find(architecture.project_out), pool));
  }
  if (form == WeightForm::Mapped) {
    SIGNUM_TAKE(head.mapped_, model.head_table().mapped(pool));
  } else {
    SIGNUM_TAKE(head.table_, model.head_table().matrix(pool));
  }
  head.cap_ = float(config.final_cap);
  return head;
}

void Head::logits(ConstView hidden, View logits, ThreadPool& pool) const {
  Matrix normed, narrow;
  if (norm_.exists()) {
    normed = Matrix(hidden.rows, hidden.columns);
    norm_.apply(hidden, normed.view(), pool);
    hidden = normed.view();
  }
  if (project_out_.size() > 0) {
    narrow = Matrix(hidden.rows, project_out_.rows());
    gemm_transposed(1.0f, hidden, project_out_.view(), 0.0f, narrow.view(), pool);
    hidden = narrow.view();
  }
  if (mapped_)
    mapped_->multiply(hidden, 0.0f, logits, pool);
  else
    gemm_transposed(1.0f, hidden, table_.view(), 0.0f, logits, pool);
  if (cap_ > 0) for_rows(logits.rows, pool, [&](size_t i) { soft_cap(logits.row(i), cap_, logits.columns); });
}

}  // namespace signum
