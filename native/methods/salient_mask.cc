#include "methods/salient_mask.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "base/pool.h"
#include "methods/bit_streams.h"

namespace signum {
namespace {

size_t coded_bytes(const Layout& l) {
  return bytes_of_bits(l.salient_weights * l.mask_low_bits) +
         bytes_of_bits(l.salient_weights + l.rows * high_zeros(l));
}

DType count_type(const Layout& l) { return l.columns < 65536 ? DType::U16 : DType::U32; }

// Calls found(k) for the set bits first + k, k < count, in order, until it says false; returns whether it
// never did.
template <class Found>
bool for_set_bits(const uint8_t* bytes, size_t first, size_t count, const Found& found) {
  constexpr size_t kAtOnce = 56;  // of 64, from any bit of the first byte on
  for (size_t done = 0; done < count; done += kAtOnce) {
    const size_t bit = first + done, bits = std::min(kAtOnce, count - done);
    const size_t there = (bit % 8 + bits + 7) / 8;
    uint64_t word = 0;
    if (there == 8)
      std::memcpy(&word, bytes + bit / 8, 8);
    else
      for (size_t i = 0; i < there; ++i) word |= uint64_t(bytes[bit / 8 + i]) << (8 * i);
    word = word >> (bit % 8) & ((uint64_t(1) << bits) - 1);
    for (; word != 0; word &= word - 1)
      if (!found(done + size_t(std::countr_zero(word)))) return false;
  }
  return true;
}

// Columns of one row out of mask_high and mask_low; false where there is no such row.
bool read_coded_row(const Layout& l, size_t row, const uint8_t* high, const uint8_t* low,
                    const std::vector<size_t>& starts, uint32_t* columns) {
  const size_t start = starts[row], count = starts[row + 1] - start, zeros = high_zeros(l);
  size_t found = 0;
  const bool good = for_set_bits(high, start + row * zeros, count + zeros, [&](size_t bit) {
    if (found == count) return false;
    const size_t column = (bit - found) << l.mask_low_bits | code_at(low, start + found, l.mask_low_bits);
    if (column >= l.columns || (found > 0 && column <= columns[found - 1])) return false;
    columns[found++] = uint32_t(column);
    return true;
  });
  return good && found == count;
}

bool read_plane_row(const Layout& l, const uint8_t* plane, size_t count, uint32_t* columns) {
  size_t found = 0;
  const bool good = for_set_bits(plane, 0, l.columns, [&](size_t j) {
    if (found == count) return false;
    columns[found++] = uint32_t(j);
    return true;
  });
  return good && found == count;
}

}  // namespace

size_t high_zeros(const Layout& l) {
  return (l.columns + (size_t(1) << l.mask_low_bits) - 1) >> l.mask_low_bits;
}

size_t choose_mask_low_bits(size_t rows, size_t columns, size_t salient) {
  Layout l;
  l.rows = rows;
  l.columns = columns;
  l.salient_weights = salient;
  size_t best = 0, least = rows * bytes_of_bits(columns);
  for (l.mask_low_bits = 1; l.mask_low_bits <= kMostLowBits; ++l.mask_low_bits)
    if (const size_t bytes = coded_bytes(l); bytes < least) {
      best = l.mask_low_bits;
      least = bytes;
    }
  return best;
}

std::vector<TensorRule> mask_rules(const Layout& l) {
  std::vector<TensorRule> rules = {{"salient_count", count_type(l), {l.rows}}};
  if (l.mask_low_bits == 0) {
    rules.push_back({"mask", DType::U8, {l.rows, bytes_of_bits(l.columns)}});
  } else {
    rules.push_back({"mask_low", DType::U8, {bytes_of_bits(l.salient_weights * l.mask_low_bits)}});
    rules.push_back({"mask_high", DType::U8, {bytes_of_bits(l.salient_weights + l.rows * high_zeros(l))}});
  }
  return rules;
}

std::vector<PackedTensor> store_mask(const Layout& l, const SalientPlaces& places, ThreadPool& pool) {
  std::vector<PackedTensor> tensors;
  for (const TensorRule& rule : mask_rules(l)) {
    size_t bytes = dtype_bytes(rule.dtype);
    for (const size_t side : rule.shape) bytes *= side;
    tensors.push_back({rule.role, rule.dtype, rule.shape, std::vector<uint8_t>(bytes)});
  }
  const size_t width = dtype_bytes(tensors[0].dtype);
  for (size_t i = 0; i < l.rows; ++i) {
    const uint32_t count = uint32_t(places.starts[i + 1] - places.starts[i]);
    std::memcpy(tensors[0].bytes.data() + i * width, &count, width);
  }
  if (l.mask_low_bits == 0) {
    pool.parallel_for(l.rows, [&](size_t i) {
      uint8_t* row = tensors[1].bytes.data() + i * bytes_of_bits(l.columns);
      for (size_t k = places.starts[i]; k < places.starts[i + 1]; ++k)
        row[places.columns[k] >> 3] |= uint8_t(1 << (places.columns[k] & 7));
    });
    return tensors;
  }
  const uint32_t low = (uint32_t(1) << l.mask_low_bits) - 1;
  put_codes(
      tensors[1].bytes.data(), l.mask_low_bits, l.salient_weights,
      [&](size_t k) { return places.columns[k] & low; }, pool);
  const size_t zeros = high_zeros(l);
  uint8_t* high = tensors[2].bytes.data();
  for (size_t i = 0; i < l.rows; ++i)
    for (size_t k = places.starts[i]; k < places.starts[i + 1]; ++k) {
      const size_t bit = k + i * zeros + (places.columns[k] >> l.mask_low_bits);
      high[bit >> 3] |= uint8_t(1 << (bit & 7));
    }
  return tensors;
}

std::vector<size_t> mask_starts(const Layout& l, const uint8_t* counts) {
  std::vector<size_t> starts(l.rows + 1);
  const size_t width = dtype_bytes(count_type(l));
  for (size_t i = 0; i < l.rows; ++i) {
    uint32_t count = 0;
    std::memcpy(&count, counts + i * width, width);
    starts[i + 1] = starts[i] + count;
  }
  return starts;
}

bool read_mask_row(const Layout& l, const MaskBytes& mask, const std::vector<size_t>& starts, size_t row,
                   uint32_t* columns) {
  if (l.mask_low_bits > 0) return read_coded_row(l, row, mask.high, mask.low, starts, columns);
  return read_plane_row(l, mask.plane + row * bytes_of_bits(l.columns), starts[row + 1] - starts[row],
                        columns);
}

MaskBytes mask_bytes(const PackedView& linear) {
  return {linear.bytes("salient_count").data(), linear.bytes("mask").data(), linear.bytes("mask_low").data(),
          linear.bytes("mask_high").data()};
}

Status check_mask(const PackedView& linear, ThreadPool& pool) {
  const Layout& l = linear.layout;
  const Error broken{"packed_broken", "The salient weights of a linear do not match their counts.", ""};
  const MaskBytes mask = mask_bytes(linear);
  const std::vector<size_t> starts = mask_starts(l, mask.counts);
  for (size_t i = 0; i < l.rows; ++i)
    if (starts[i + 1] - starts[i] > l.columns) return broken;
  if (starts[l.rows] != l.salient_weights) return broken;
  std::atomic<bool> good{true};
  pool.parallel_for(l.rows, [&](size_t i) {
    std::vector<uint32_t> columns(starts[i + 1] - starts[i]);
    if (!read_mask_row(l, mask, starts, i, columns.data())) good = false;
  });
  return good ? Status() : Status(broken);
}

}  // namespace signum
