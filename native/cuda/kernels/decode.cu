#include "cuda/kernels/decode.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWords = 8;  // of a block
constexpr unsigned kWarps = 8;

// A block: 32 rows, 8 words. Lanes are columns, so that whole lines are written; the words of the tile's
// other rows, which lie beside them, come out of the cache.
__global__ void decode_kernel(PackedOnCard p, size_t first, size_t count, float* out) {
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const size_t tile = size_t(blockIdx.y) * kTile;
  for (unsigned w = blockIdx.x * kWords; w < (blockIdx.x + 1) * kWords && w < p.words; ++w) {
    const unsigned position = w * kWord + lane, input = p.inputs[position];
    if (input == kNoColumn) continue;
    for (unsigned r = warp; r < kTile; r += kWarps)
      if (tile + r < count)
        out[(tile + r) * p.columns + input] = packed_weight(p, first + tile + r, position);
  }
}

__global__ void look_up_kernel(PackedOnCard p, const uint32_t* rows, float* out) {
  const size_t row = rows[blockIdx.y];
  const unsigned position = blockIdx.x * blockDim.x + threadIdx.x;
  if (position >= p.words * kWord) return;
  const unsigned input = p.inputs[position];
  if (input != kNoColumn) out[size_t(blockIdx.y) * p.columns + input] = packed_weight(p, row, position);
}

}  // namespace

void decode_rows(Device& device, const DevicePacked& linear, size_t first, size_t count, float* out) {
  const PackedOnCard& p = linear.on_card();
  launch(device, decode_kernel, Grid{dim3(parts(p.words, kWords), parts(count, kTile)), dim3(kWarps * 32)}, p,
         first, count, out);
}

DeviceMatrix decode(Card& card, const DevicePacked& linear) {
  DeviceMatrix out(card.device, linear.rows(), linear.columns(), "decoded weights");
  decode_rows(card.device, linear, 0, linear.rows(), out.data());
  return out;
}

DeviceMatrix decode(Card& card, const PackedView& linear) {
  return decode(card, DevicePacked::upload(card, linear));
}

void look_up(Device& device, const DevicePacked& table, const uint32_t* rows, size_t count, float* out) {
  const PackedOnCard& p = table.on_card();
  launch(device, look_up_kernel, Grid{dim3(parts(size_t(p.words) * kWord, 128), unsigned(count)), dim3(128)},
         p, rows, out);
}

}  // namespace signum::cuda
