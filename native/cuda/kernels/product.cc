#include "cuda/kernels/product.h"

#include <algorithm>

#include "cuda/kernels/decode.h"
#include "cuda/kernels/look_up_sizes.h"

namespace signum::cuda {
namespace {

constexpr size_t kSharedBytes = size_t(24) << 10;      // of a block: four and more blocks fit one processor
constexpr size_t kMostSharedBytes = size_t(96) << 10;  // what every card since 8.0 gives a block
constexpr size_t kWarps = 2048;                        // that keep a card's memory busy
constexpr size_t kStripFloats = size_t(8) << 20;

// Numbers in shared memory for one word of a row and one token.
size_t numbers_of_word(const PackedOnCard& p) {
  switch (p.kind) {
    case PackedKind::Codes:
      return (p.looked_up ? p.bits * p.bits * kEntries : 0) + kWord;
    case PackedKind::Means:
      return kEntries + kWord + 1;
    case PackedKind::RankOne:
      return (p.splits + 1) * kEntries + kWord;
    case PackedKind::PbLlm:
    case PackedKind::Fdb:
    case PackedKind::SignumRc:
      return kEntries + kWord;
  }
  return 0;
}

bool has_planes(const PackedOnCard& p) { return p.kind == PackedKind::Fdb || p.kind == PackedKind::SignumRc; }

void start(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan) {
  switch (p.kind) {
    case PackedKind::Codes:
      return start_codes(device, p, job, plan);
    case PackedKind::Means:
      return start_means(device, p, job, plan);
    case PackedKind::RankOne:
      return start_rank_one(device, p, job, plan);
    case PackedKind::PbLlm:
      return start_pb_llm(device, p, job, plan);
    case PackedKind::Fdb:
    case PackedKind::SignumRc:
      return start_planes(device, p, job, plan);
  }
}

size_t strip_rows(const DevicePacked& linear) {
  const size_t rows = std::max(kStripFloats / linear.columns() / kTile * kTile, size_t(kTile));
  return std::min(rows, linear.rows());
}

template <class T>
bool grow(Array<T>& array, Device& device, size_t size, const char* what) {
  if (array.size() >= size) return false;
  array = Array<T>();  // before there are two
  array = Array<T>(device, size, what);
  return true;
}

}  // namespace

ProductPlan plan_product(const PackedOnCard& p, size_t tokens) {
  ProductPlan plan{.tokens = tokens == 1 ? 1u : tokens <= 4 ? 4u : 8u};
  const size_t numbers = numbers_of_word(p) * sizeof(float);
  if (plan.tokens == 8 && numbers * 8 * kRankWords > kMostSharedBytes) plan.tokens = 4;
  const size_t word_bytes = numbers * plan.tokens;
  const auto whole = [](size_t words) { return parts(words, kRankWords) * size_t(kRankWords); };
  const size_t most = std::max(kSharedBytes / word_bytes / kRankWords * kRankWords, size_t(kRankWords));
  const size_t splits = parts(kWarps, p.tiles);
  plan.split_words = unsigned(std::clamp(whole(parts(p.words, splits)), size_t(kRankWords), most));
  if (has_planes(p)) {
    for (unsigned i = 0; i < p.plane_count; ++i)
      plan.splits += plan.splits_of_plane[i] = parts(p.planes[i].bits.words, plan.split_words);
  } else {
    plan.splits = parts(p.words, plan.split_words);
  }
  plan.shared = std::min<size_t>(plan.split_words, p.words) * word_bytes;
  if (plan.splits > 1) {
    plan.partials = size_t(plan.splits) * plan.tokens * p.padded_rows;
    plan.arrived = parts(p.tiles, kTilesOfBlock);
  }
  return plan;
}

void ProductRoom::reserve(Card& card, const DevicePacked& linear, size_t tokens) {
  if (tokens > kMostTokens) {
    grow(strip_, card.device, strip_rows(linear) * linear.columns(), "a strip of decoded weights");
    return;
  }
  const ProductPlan plan = plan_product(linear.on_card(), tokens);
  grow(partials_, card.device, plan.partials, "partial sums");
  if (grow(arrived_, card.device, plan.arrived, "partial sums")) arrived_.fill(0);
}

void multiply(Card& card, ProductRoom& room, const DevicePacked& linear, const float* x, size_t tokens,
              float beta, float* out, size_t out_stride) {
  room.reserve(card, linear, tokens);
  if (tokens > kMostTokens) {
    const size_t strip = strip_rows(linear), columns = linear.columns();
    for (size_t first = 0; first < linear.rows(); first += strip) {
      const size_t count = std::min(strip, linear.rows() - first);
      decode_rows(card.device, linear, first, count, room.strip_.data());
      card.blas.gemm(false, true, tokens, count, columns, 1.0f, x, columns, room.strip_.data(), columns, beta,
                     out + first, out_stride);
    }
    return;
  }
  const ProductPlan plan = plan_product(linear.on_card(), tokens);
  ProductJob job{.x_stride = linear.columns(),
                 .beta = beta,
                 .out_stride = out_stride,
                 .split_words = plan.split_words,
                 .partials = room.partials_.data(),
                 .arrived = room.arrived_.data()};
  std::copy(std::begin(plan.splits_of_plane), std::end(plan.splits_of_plane), job.splits_of_plane);
  for (size_t first = 0; first < tokens; first += plan.tokens) {
    job.x = x + first * job.x_stride;
    job.out = out + first * out_stride;
    job.tokens = unsigned(std::min<size_t>(plan.tokens, tokens - first));
    start(card.device, linear.on_card(), job, plan);
  }
}

void multiply(Card& card, const DevicePacked& linear, const float* x, size_t tokens, float beta, float* out) {
  ProductRoom room;
  multiply(card, room, linear, x, tokens, beta, out, linear.rows());
}

}  // namespace signum::cuda
