#include "cuda/model/generation_ends.h"

#include "math/finite.h"
#include "model/norm.h"

namespace signum::cuda {
namespace {

std::shared_ptr<const CardMatrix> load_table(Card& card, const Table& table, const char* what,
                                             ThreadPool& pool) {
  taken(table.mapped(pool));  // looks at all its values
  return std::make_shared<CardMatrix>(table.stored() ? CardMatrix::of(card, *table.stored(), what)
                                                     : CardMatrix::of(card, *table.packed_view(), what));
}

CardMatrix load_projection(Card& card, const TensorView& tensor, ThreadPool& pool) {
  taken(MappedMatrix::of(tensor, pool));
  return CardMatrix::of(card, tensor, "the projections of the embeddings");
}

DeviceView<float> room_for(Card& card, Array<float>& array, size_t rows, size_t columns) {
  if (array.size() < rows * columns) {
    array = {};
    array = Array<float>(card.device, rows * columns, "the ends of the model");
  }
  return {array.data(), rows, columns, columns};
}

}  // namespace

GenerationEnds GenerationEnds::load(Card& card, const Model& model, ThreadPool& pool) {
  const ModelConfig& config = model.config();
  const Architecture& architecture = *config.architecture;
  GenerationEnds ends;
  ends.embedding_ = load_table(card, model.embedding_table(), "the embeddings", pool);
  ends.head_ = &model.head_table() == &model.embedding_table()
                   ? ends.embedding_
                   : load_table(card, model.head_table(), "the head", pool);
  if (has_projections(config)) {
    ends.project_in_ = load_projection(card, *model.find(architecture.project_in), pool);
    ends.project_out_ = load_projection(card, *model.find(architecture.project_out), pool);
  }
  if (architecture.positions) {
    const Matrix all = taken(Model::to_matrix(*model.find(architecture.positions), pool));
    const size_t first = architecture.position_offset;
    ends.positions_ = DeviceMatrix::of(
        card.device, all.view().block(first, 0, all.rows() - first, all.columns()), "the positions");
  }
  if (config.final_norm)
    ends.norm_ = DeviceNorm(card.device, taken(Norm::load(model, architecture.final_norm, pool)));
  ends.scale_ = float(config.embedding_scale);
  ends.cap_ = float(config.final_cap);
  return ends;
}

void GenerationEnds::embed(Card& card, EndsRoom& room, const uint32_t* ids, DeviceView<float> out,
                           const Places& places) const {
  if (project_in_) {
    const auto narrow = room_for(card, room.narrow, out.rows, embedding_->columns());
    embedding_->look_up(card, ids, narrow);
    project_in_->multiply(card, room.products, narrow, 0.0f, out);
  } else {
    embedding_->look_up(card, ids, out);
  }
  if (scale_ != 1) scale_rows(card.device, out, scale_);
  if (positions_) add_positions(card.device, out, positions_.view(), places);
}

void GenerationEnds::logits(Card& card, EndsRoom& room, DeviceView<const float> hidden,
                            DeviceView<float> logits) const {
  if (norm_.exists()) {
    const auto normed = room_for(card, room.normed, hidden.rows, hidden.columns);
    norm_.apply(card.device, hidden, normed);
    hidden = normed;
  }
  if (project_out_) {
    const auto narrow = room_for(card, room.narrow, hidden.rows, project_out_->rows());
    project_out_->multiply(card, room.products, hidden, 0.0f, narrow);
    hidden = narrow;
  }
  head_->multiply(card, room.products, hidden, 0.0f, logits);
  if (cap_ > 0) soft_cap(card.device, logits, cap_);
}

uint64_t GenerationEnds::bytes() const {
  uint64_t bytes = embedding_->bytes() + positions_.size() * sizeof(float);
  if (head_ != embedding_) bytes += head_->bytes();
  if (project_in_) bytes += project_in_->bytes() + project_out_->bytes();
  return bytes;
}

}  // namespace signum::cuda
