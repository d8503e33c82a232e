#include "cuda/model/ends.h"

#include <algorithm>

#include "base/pool.h"
#include "math/finite.h"
#include "model/mapped_matrix.h"
#include "model/norm.h"

namespace signum::cuda {
namespace {

constexpr size_t kLookUp = 32768;  // rows of a packed table at once: a grid has no more than 65,535 down

DeviceMatrix load_matrix(Card card, const TensorView& tensor, const char* what, ThreadPool& pool) {
  return DeviceMatrix::of(card.device, taken(Model::to_matrix(tensor, pool)).view(), what);
}

DeviceWeight load_stored(Card card, const TensorView& tensor, const char* what) {
  DeviceWeight weight(card.device, tensor.dtype, tensor.shape[0], tensor.shape[1], what);
  card.device.upload(weight.data(), tensor.bytes.data(), tensor.bytes.size());
  card.device.stream().wait();
  return weight;
}

}  // namespace

DeviceEmbedding DeviceEmbedding::load(Card card, const Model& model, ThreadPool& pool) {
  DeviceEmbedding ends(model);
  const Architecture& architecture = *model.config().architecture;
  const TensorView* stored = model.embedding_table().stored();
  if (stored && stored->bytes.size() <= card.device.free_bytes() / 4)
    ends.table_ = load_stored(card, *stored, "the embeddings");
  if (!stored)
    ends.table_ = packed_weight_on_card(card, model.embedding_table().name(),
                                        *model.embedding_table().packed_view(), nullptr, pool);
  if (has_projections(model.config()))
    ends.project_in_ = load_matrix(card, *model.find(architecture.project_in), "the embeddings", pool);
  if (architecture.positions) {
    const Matrix all = taken(Model::to_matrix(*model.find(architecture.positions), pool));
    const size_t first = architecture.position_offset;
    ends.positions_ = DeviceMatrix::of(
        card.device, all.view().block(first, 0, all.rows() - first, all.columns()), "the positions");
  }
  return ends;
}

DeviceView<float> DeviceEmbedding::rows(Card card, DeviceMatrix& narrow, DeviceView<float> out) const {
  if (!project_in_) return out;
  narrow = DeviceMatrix(card.device, out.rows, project_in_.columns(), "the embeddings");
  return narrow.view();
}

void DeviceEmbedding::look_up(Card card, const uint32_t* ids, DeviceView<float> out) const {
  const DevicePacked* packed = table_.packed_linear();
  if (!packed) return gather_rows(card.device, table_.data(), table_.dtype(), ids, out);
  for (size_t first = 0; first < out.rows; first += kLookUp)
    cuda::look_up(card.device, *packed, ids + first, std::min(kLookUp, out.rows - first),
                  out.data + first * out.stride);
}

void DeviceEmbedding::finish(Card card, DeviceView<const float> narrow, DeviceView<float> out,
                             const Places& places) const {
  if (project_in_)
    card.blas.times_stored(narrow.data, narrow.rows, narrow.columns, project_in_.data(), DType::F32,
                           project_in_.rows(), 0.0f, out.data, out.stride);
  if (const double scale = model_->config().embedding_scale; scale != 1)
    scale_rows(card.device, out, float(scale));
  if (positions_) add_positions(card.device, out, positions_.view(), places);
}

void DeviceEmbedding::embed(Card card, const uint32_t* ids, DeviceView<float> out,
                            const Places& places) const {
  DeviceMatrix narrow;
  const DeviceView<float> found = rows(card, narrow, out);
  look_up(card, ids, found);
  finish(card, found, out, places);
}

void DeviceEmbedding::embed(Card card, std::span<const uint32_t> tokens, DeviceView<float> out,
                            const Places& places, ThreadPool& pool) const {
  Device& device = card.device;
  DeviceMatrix narrow;
  const DeviceView<float> found = rows(card, narrow, out);
  if (on_card()) {
    Array<uint32_t> ids(device, tokens.size(), "the tokens"), finite(device, 1, "a check");
    ids.upload(tokens);
    finite.fill(0xFF);
    look_up(card, ids.data(), found);
    check_finite(device, found, finite.data());
    if (!finite.download()[0]) {
      const Table& table = model_->embedding_table();
      throw Fault{weights_not_finite(table.stored() ? table.stored()->name : table.name())};
    }
  } else {
    Matrix looked_up = Matrix::uninitialized(found.rows, found.columns);
    check(model_->embedding_table().look_up(tokens, looked_up.view(), pool));
    device.upload(found.data, looked_up.data(), looked_up.size() * sizeof(float));
    device.stream().wait();
  }
  finish(card, found, out, places);
}

DeviceHead DeviceHead::load(Card card, const Model& model, ThreadPool& pool) {
  const ModelConfig& config = model.config();
  const Architecture& architecture = *config.architecture;
  DeviceHead head;
  if (config.final_norm)
    head.norm_ = DeviceNorm(card.device, taken(Norm::load(model, architecture.final_norm, pool)));
  if (has_projections(config))
    head.project_out_ = load_matrix(card, *model.find(architecture.project_out), "the head", pool);
  const Table& table = model.head_table();
  if (const TensorView* stored = table.stored()) {
    if (!all_finite(stored->dtype, stored->bytes, pool)) throw Fault{weights_not_finite(stored->name)};
    head.table_ = load_stored(card, *stored, "the head");
  } else {
    head.table_ = packed_weight_on_card(card, table.name(), *table.packed_view(),
                                        std::make_shared<ProductRoom>(), pool);
  }
  head.cap_ = float(config.final_cap);
  return head;
}

void DeviceHead::logits(Card card, DeviceView<const float> hidden, DeviceView<float> logits) const {
  DeviceMatrix normed, narrow;
  if (norm_.exists()) {
    normed = DeviceMatrix(card.device, hidden.rows, hidden.columns, "the head");
    norm_.apply(card.device, hidden, normed.view());
    hidden = normed.view();
  }
  if (project_out_) {
    narrow = DeviceMatrix(card.device, hidden.rows, project_out_.rows(), "the head");
    card.blas.times_stored(hidden.data, hidden.rows, hidden.columns, project_out_.data(), DType::F32,
                           project_out_.rows(), 0.0f, narrow.data(), narrow.columns());
    hidden = narrow.view();
  }
  table_.multiply(card, hidden, 0.0f, logits);
  if (cap_ > 0) soft_cap(card.device, logits, cap_);
}

}  // namespace signum::cuda
