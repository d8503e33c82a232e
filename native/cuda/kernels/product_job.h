// One product of a few tokens straight from planes, as its kernels get it.
#pragma once

#include "cuda/kernels/packed_on_card.h"
#include "cuda/runtime.h"

namespace signum::cuda {

inline constexpr unsigned kMostTokens = 8;  // straight from the planes
inline constexpr unsigned kTilesOfBlock = 8;

struct ProductJob {
  const float* x = nullptr;  // [tokens, x_stride]
  size_t x_stride = 0;
  unsigned tokens = 1;
  float beta = 0;
  float* out = nullptr;  // [tokens, out_stride]
  size_t out_stride = 0;
  // Where a row's words are added up by several blocks.
  unsigned split_words = 0;                    // a multiple of kRankWords
  float* partials = nullptr;                   // [splits][tokens of the kernel][padded rows]
  unsigned* arrived = nullptr;                 // [blocks of tiles], zeros
  unsigned splits_of_plane[kMostPlanes] = {};  // fdb, signum-rc
};

// How a product is cut: a function of the linear's shape and of the tokens only.
struct ProductPlan {
  unsigned tokens = 1;  // that the kernel has: 1, 4 or 8
  unsigned split_words = 0, splits = 0;
  unsigned splits_of_plane[kMostPlanes] = {};
  size_t shared = 0;
  size_t partials = 0, arrived = 0;  // elements
};

// The kernels. job.tokens <= plan.tokens.
void start_planes(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan);
void start_codes(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan);
void start_means(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan);
void start_rank_one(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan);
void start_pb_llm(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan);

inline Grid grid_of(const PackedOnCard& p, const ProductPlan& plan) {
  return {dim3(parts(p.tiles, kTilesOfBlock), plan.splits), dim3(kTilesOfBlock * 32), plan.shared};
}

}  // namespace signum::cuda
