#include "cuda/model/ends.h"

#include "base/pool.h"
#include "math/finite.h"
#include "model/norm.h"

namespace signum::cuda {
namespace {

DeviceWeight load_projection(Card card, const TensorView& tensor, ThreadPool& pool) {
  if (!all_finite(tensor.dtype, tensor.bytes, pool)) throw Fault{weights_not_finite(tensor.name)};
  return DeviceWeight::of(card, tensor, "the projections of the embeddings");
}

std::shared_ptr<const DeviceWeight> load_table(Card card, const Table& table, const char* what, bool checked,
                                               ThreadPool& pool) {
  const TensorView* stored = table.stored();
  if (stored && checked && !all_finite(stored->dtype, stored->bytes, pool))
    throw Fault{weights_not_finite(stored->name)};
  return std::make_shared<DeviceWeight>(
      stored ? DeviceWeight::of(card, *stored, what)
             : DeviceWeight::of(card, table.name(), *table.packed_view(), what, pool));
}

DeviceView<float> room_for(Card card, Array<float>& array, size_t rows, size_t columns) {
  if (array.size() < rows * columns) {
    array = {};
    array = Array<float>(card.device, rows * columns, "the ends of the model");
  }
  return {array.data(), rows, columns, columns};
}

}  // namespace

DeviceEmbedding DeviceEmbedding::load(Card card, const Model& model, ThreadPool& pool) {
  return load(card, model, false, pool);
}
DeviceEmbedding DeviceEmbedding::load_whole(Card card, const Model& model, ThreadPool& pool) {
  return load(card, model, true, pool);
}
DeviceEmbedding DeviceEmbedding::load(Card card, const Model& model, bool whole, ThreadPool& pool) {
  DeviceEmbedding ends(model);
  const Architecture& architecture = *model.config().architecture;
  const TensorView* stored = model.embedding_table().stored();
  if (whole || !stored || stored->bytes.size() <= card.device.free_bytes() / 4)
    ends.table_ = load_table(card, model.embedding_table(), "the embeddings", whole, pool);
  if (has_projections(model.config()))
    ends.project_in_ = load_projection(card, *model.find(architecture.project_in), pool);
  if (architecture.positions) {
    const Matrix all = taken(Model::to_matrix(*model.find(architecture.positions), pool));
    const size_t first = architecture.position_offset;
    ends.positions_ = DeviceMatrix::of(
        card.device, all.view().block(first, 0, all.rows() - first, all.columns()), "the positions");
  }
  return ends;
}

DeviceView<float> DeviceEmbedding::rows(Card card, EndsRoom& room, DeviceView<float> out) const {
  return project_in_ ? room_for(card, room.narrow, out.rows, project_in_.columns()) : out;
}

void DeviceEmbedding::finish(Card card, EndsRoom& room, DeviceView<const float> rows, DeviceView<float> out,
                             const Places& places) const {
  if (project_in_) project_in_.multiply(card, room.products, rows, 0.0f, out);
  if (const double scale = model_->config().embedding_scale; scale != 1)
    scale_rows(card.device, out, float(scale));
  if (positions_) add_positions(card.device, out, positions_.view(), places);
}

void DeviceEmbedding::embed(Card card, EndsRoom& room, const uint32_t* ids, DeviceView<float> out,
                            const Places& places) const {
  const DeviceView<float> found = rows(card, room, out);
  table_->look_up(card, ids, found);
  finish(card, room, found, out, places);
}

void DeviceEmbedding::embed(Card card, std::span<const uint32_t> tokens, DeviceView<float> out,
                            const Places& places, ThreadPool& pool) const {
  Device& device = card.device;
  EndsRoom room;
  const DeviceView<float> found = rows(card, room, out);
  if (on_card()) {
    Array<uint32_t> ids(device, tokens.size(), "the tokens"), finite(device, 1, "a check");
    ids.upload(tokens);
    finite.fill(0xFF);
    table_->look_up(card, ids.data(), found);
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
  finish(card, room, found, out, places);
}

uint64_t DeviceEmbedding::bytes() const {
  return (table_ ? table_->bytes() : 0) + project_in_.bytes() + positions_.size() * sizeof(float);
}

DeviceHead DeviceHead::load(Card card, const Model& model, ThreadPool& pool,
                            std::shared_ptr<const DeviceWeight> tied) {
  const ModelConfig& config = model.config();
  const Architecture& architecture = *config.architecture;
  DeviceHead head;
  if (config.final_norm)
    head.norm_ = DeviceNorm(card.device, taken(Norm::load(model, architecture.final_norm, pool)));
  if (has_projections(config))
    head.project_out_ = load_projection(card, *model.find(architecture.project_out), pool);
  head.shared_ = tied && &model.head_table() == &model.embedding_table();
  head.table_ = head.shared_ ? std::move(tied) : load_table(card, model.head_table(), "the head", true, pool);
  head.cap_ = float(config.final_cap);
  return head;
}

void DeviceHead::logits(Card card, EndsRoom& room, DeviceView<const float> hidden,
                        DeviceView<float> logits) const {
  if (norm_.exists()) {
    const auto normed = room_for(card, room.normed, hidden.rows, hidden.columns);
    norm_.apply(card.device, hidden, normed);
    hidden = normed;
  }
  if (project_out_) {
    const auto narrow = room_for(card, room.narrow, hidden.rows, project_out_.rows());
    project_out_.multiply(card, room.products, hidden, 0.0f, narrow);
    hidden = narrow;
  }
  table_->multiply(card, room.products, hidden, 0.0f, logits);
  if (cap_ > 0) soft_cap(card.device, logits, cap_);
}

}  // namespace signum::cuda
