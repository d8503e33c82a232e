#include "cuda/kernels/relay.h"

namespace signum::cuda {
namespace {

// `count` <= 32 bits from any bit on.
__device__ uint32_t bits_from(const uint8_t* bytes, size_t bit, unsigned count) {
  const size_t first = bit / 8, last = (bit + count - 1) / 8;
  uint64_t word = 0;
  for (size_t k = first; k <= last; ++k) word |= uint64_t(bytes[k]) << (8 * (k - first));
  return uint32_t(word >> (bit % 8)) & (count == 32 ? ~0u : (1u << count) - 1);
}

__global__ void lay_bits_kernel(const uint8_t* stored, PlaneShape shape, size_t count, uint32_t* out) {
  const size_t at = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= count) return;
  const uint32_t row_words = shape.words * shape.bits;
  const size_t row = at / kTile / row_words * kTile + at % kTile;
  const uint32_t q = uint32_t(at / kTile % row_words), w = q / shape.bits, part = q % shape.bits;
  const uint32_t group = w / shape.group_words, inside = w % shape.group_words * kWord;
  const uint64_t column = uint64_t(group) * shape.group + inside;
  uint32_t word = 0;
  if (row < shape.rows && column < shape.columns && inside < shape.group) {
    uint64_t there = shape.columns - column;
    if (there > shape.group - inside) there = shape.group - inside;
    if (there > kWord) there = kWord;
    const uint64_t end = there * shape.bits, begin = uint64_t(part) * 32;
    if (begin < end)
      word = bits_from(stored + row * shape.row_bytes, column * shape.bits + begin,
                       end - begin > 32 ? 32u : unsigned(end - begin));
  }
  out[at] = word;
}

template <class T>
__global__ void lay_scalars_kernel(const T* stored, size_t rows, size_t groups, size_t padded, size_t count,
                                   T* out) {
  const size_t at = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= count) return;
  const size_t row = at % padded, group = at / padded % groups, slot = at / padded / groups;
  out[at] = row < rows ? stored[(slot * rows + row) * groups + group] : T(0);
}

__global__ void lay_mask_kernel(const uint8_t* high, const uint8_t* low, unsigned low_bits, size_t zeros,
                                const uint64_t* starts, PlaneShape shape, uint32_t* out) {
  const size_t row = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= shape.rows) return;
  const uint64_t start = starts[row], count = starts[row + 1] - start, first = start + row * zeros;
  uint64_t found = 0;
  for (uint64_t bit = 0; found < count; ++bit) {
    if (!(high[(first + bit) >> 3] >> ((first + bit) & 7) & 1)) continue;
    const uint64_t column = (bit - found) << low_bits | code_in_stream(low, size_t(start + found), low_bits);
    const uint64_t group = column / shape.group, inside = column % shape.group;
    const uint64_t w = group * shape.group_words + inside / kWord;
    out[((row / kTile) * shape.words + w) * kTile + row % kTile] |= 1u << (inside % kWord);
    ++found;
  }
}

__global__ void count_ranks_kernel(BitsOnCard mask, const uint64_t* starts, size_t rows, size_t padded,
                                   uint32_t* rank) {
  const size_t row = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= padded) return;
  uint32_t count = row < rows ? uint32_t(starts[row]) : 0;
  for (uint32_t w = 0; w < mask.words; ++w) {
    if (w % kRankWords == 0) rank[size_t(w / kRankWords) * padded + row] = count;
    count += uint32_t(__popc(mask.word(row, w)));
  }
}

}  // namespace

void lay_bits(Device& device, const uint8_t* stored, const PlaneShape& shape, uint32_t* out) {
  const size_t count = size_t(parts(shape.rows, kTile)) * kTile * shape.words * shape.bits;
  launch(device, lay_bits_kernel, one_each(count), stored, shape, count, out);
}

void lay_scalars(Device& device, const void* stored, size_t slots, size_t rows, size_t groups, size_t width,
                 size_t padded, void* out) {
  const size_t count = slots * groups * padded;
  const auto lay = [&]<class T>(T) {
    launch(device, lay_scalars_kernel<T>, one_each(count), static_cast<const T*>(stored), rows, groups,
           padded, count, static_cast<T*>(out));
  };
  if (width == 1) return lay(uint8_t());
  if (width == 2) return lay(uint16_t());
  lay(uint32_t());
}

void lay_mask(Device& device, const uint8_t* high, const uint8_t* low, unsigned low_bits, size_t zeros,
              const uint64_t* starts, const PlaneShape& shape, uint32_t* out) {
  launch(device, lay_mask_kernel, one_each(shape.rows, 64), high, low, low_bits, zeros, starts, shape, out);
}

void count_ranks(Device& device, BitsOnCard mask, const uint64_t* starts, size_t rows, size_t padded,
                 uint32_t* rank) {
  launch(device, count_ranks_kernel, one_each(padded, 64), mask, starts, rows, padded, rank);
}

}  // namespace signum::cuda
