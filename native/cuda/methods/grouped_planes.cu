#include <algorithm>
#include <cstring>

#include "cuda/methods/grouped_planes.h"
#include "cuda/methods/row_lanes.h"

namespace signum::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kPadded =
    kLaneRows + 1;  // rows of a tile in shared memory, so that columns meet no bank twice
enum Bit : uint8_t { kSign = 1, kPlane2 = 2, kGroup2 = 4, kSecond = 8 };

struct Target {
  FittedBlock block;
  DType type;
  bool bitmap;
  size_t blocks, columns;  // of the linear
  void *scale, *mean;      // as they are stored: [slots, rows, blocks]
  void* column_scale;      // [slots, columns]
  uint32_t *sign, *plane2, *group2, *second;
  size_t words;
};

__device__ float put_scalar(DType type, void* to, size_t at, float value) {
  if (type == DType::F32) {
    static_cast<float*>(to)[at] = value;
    return value;
  }
  const uint16_t bits = type == DType::F16 ? to_half(value) : to_bfloat(value);
  static_cast<uint16_t*>(to)[at] = bits;
  return type == DType::F16 ? from_half(bits) : from_bfloat(bits);
}
__device__ float rounded(DType type, float value) {
  if (type == DType::F32) return value;
  return type == DType::F16 ? from_half(to_half(value)) : from_bfloat(to_bfloat(value));
}

// The stored slots of a tile's rows in shared memory, [slots][32]. by_order: where arb-rc's fit has them.
__device__ unsigned slot_of_fit(const GroupFit& f, unsigned slot) {
  const unsigned salient = 2 * f.salient_groups();
  return slot < salient ? slot % 2 * f.salient_groups() + slot / 2 : slot;
}
__device__ void put_scalars(const Target& t, const float* from, bool by_order, unsigned slots, void* to,
                            float* kept) {
  const GroupFit& f = t.block.fit;
  for (unsigned i = threadIdx.x; i < slots * kLaneRows; i += blockDim.x) {
    const unsigned slot = i / kLaneRows, own = by_order ? slot_of_fit(f, slot) : slot;
    const size_t row = size_t(blockIdx.x) * kLaneRows + i % kLaneRows;
    float value = from[own * f.padded_rows() + row];
    if (by_order) value *= t.block.factor[own];
    kept[i] = row < f.shape.rows
                  ? put_scalar(t.type, to, (slot * f.shape.rows + row) * t.blocks + t.block.block, value)
                  : 0.0f;
  }
}

// Group of `splits` + 1 as the planes have it: how many of the thresholds |T| reaches, in one bit or two.
__device__ uint8_t group_bits(unsigned splits, unsigned group) {
  const unsigned reached = splits - group;
  if (splits == 1) return reached ? kPlane2 : 0;
  return uint8_t((reached >= 2 ? kPlane2 : 0) | (reached % 2 ? kGroup2 : 0));
}

// A tile a block.
template <bool kRankOne>
__global__ void put_kernel(Target t) {
  const GroupFit& f = t.block.fit;
  const unsigned width = f.shape.width, salient = f.choice->salient, salient_groups = f.salient_groups();
  const unsigned scale_slots = 2 * salient_groups + f.groups();
  float* error = shared_memory<float>();          // [width][33], by column of the block
  float* scale = error + width * kPadded;         // [slots][32]
  float* mean = scale + scale_slots * kLaneRows;  // [slots][32]
  uint8_t* bits = reinterpret_cast<uint8_t*>(mean + (kRankOne ? 0 : salient_groups + f.groups()) * kLaneRows);
  put_scalars(t, f.scale, kRankOne, scale_slots, t.scale, scale);
  if (!kRankOne) put_scalars(t, f.mean, false, salient_groups + f.groups(), t.mean, mean);
  if (kRankOne && blockIdx.x == 0)
    for (unsigned i = threadIdx.x; i < scale_slots * width; i += blockDim.x) {
      const unsigned slot = i / width, j = i % width;
      const bool of_salient = slot < 2 * salient_groups;
      if (of_salient != (j < salient)) continue;
      const size_t to = of_salient ? slot : slot - 2 * salient_groups;
      put_scalar(t.type, t.column_scale, to * t.columns + t.block.start + t.block.order[j],
                 t.block.column_scale[slot_of_fit(f, slot) * width + j]);
    }
  __syncthreads();

  for (unsigned i = threadIdx.x; i < width * kLaneRows; i += blockDim.x) {
    const unsigned j = i / kLaneRows, lane = i % kLaneRows, column = t.block.order[j];
    const size_t at = size_t(blockIdx.x) * width * kLaneRows + i;
    const unsigned group = f.group[at];
    const auto scaled = [&](unsigned slot) {
      const float row = scale[slot * kLaneRows + lane];
      return kRankOne ? row * rounded(t.type, t.block.column_scale[slot_of_fit(f, slot) * width + j]) : row;
    };
    float value;
    uint8_t own;
    if (j < salient) {
      const float first = f.first[at], second = f.second[at];
      value = with_bit(first, scaled(2 * group));
      if (!kRankOne) value = mean[group * kLaneRows + lane] + value;
      value += with_bit(second, scaled(2 * group + 1));
      own = uint8_t((first >= 0 ? kSign : 0) |
                    (t.bitmap ? group_bits(f.salient_splits, group) | (second >= 0 ? kSecond : 0)
                              : (second >= 0 ? kPlane2 : 0)));
    } else {
      const float first = t.block.signs[at];
      value = with_bit(first, scaled(2 * salient_groups + group));
      if (!kRankOne) value = mean[(salient_groups + group) * kLaneRows + lane] + value;
      own = uint8_t((first >= 0 ? kSign : 0) | group_bits(f.splits, group));
    }
    error[column * kPadded + lane] =
        (f.weight[at] - value) * t.block.r.data[column * t.block.r.stride + column];
    bits[column * kPadded + lane] = own;
  }
  __syncthreads();

  const size_t first_row = size_t(blockIdx.x) * kLaneRows;
  for (unsigned i = threadIdx.x; i < width * kLaneRows; i += blockDim.x) {
    const unsigned lane = i / width, column = i % width;
    if (first_row + lane < f.shape.rows)
      t.block.error.data[(first_row + lane) * t.block.error.stride + column] = error[column * kPadded + lane];
  }
  // Neighbouring blocks may share a word; they come one after another.
  const size_t start = t.block.start, first_word = start / 32;
  const unsigned words = unsigned((start + width - 1) / 32 - first_word) + 1;
  for (unsigned i = threadIdx.x; i < words * kLaneRows; i += blockDim.x) {
    const unsigned lane = i / words;
    if (first_row + lane >= f.shape.rows) continue;
    uint32_t sign = 0, plane2 = 0, group2 = 0, second = 0;
    for (unsigned b = 0; b < 32; ++b) {
      const size_t column = (first_word + i % words) * 32 + b;
      if (column < start || column >= start + width) continue;
      const uint32_t own = bits[(column - start) * kPadded + lane];
      sign |= (own & 1) << b;
      plane2 |= (own >> 1 & 1) << b;
      group2 |= (own >> 2 & 1) << b;
      second |= (own >> 3 & 1) << b;
    }
    const size_t word = (first_row + lane) * t.words + first_word + i % words;
    t.sign[word] |= sign;
    t.plane2[word] |= plane2;
    if (t.group2) t.group2[word] |= group2;
    if (t.second) t.second[word] |= second;
  }
}

// The given columns of a plane as wide as the linear: a word a thread.
__global__ void gather_kernel(const uint32_t* wide, size_t wide_words, const uint32_t* columns, size_t count,
                              size_t rows, uint32_t* out, size_t words) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows * words) return;
  const uint32_t* row = wide + i / words * wide_words;
  uint32_t bits = 0;
  for (unsigned b = 0; b < 32; ++b) {
    const size_t k = i % words * 32 + b;
    if (k < count) bits |= (row[columns[k] / 32] >> columns[k] % 32 & 1) << b;
  }
  out[i] = bits;
}

size_t words_of(size_t columns) { return (columns + 31) / 32; }

template <class T>
Array<T> zeros(Device& device, size_t size, const char* what) {
  if (size == 0) return {};
  Array<T> array(device, size, what);
  array.fill(0);
  return array;
}

}  // namespace

GroupedPlanes::GroupedPlanes(Device& device, const Layout& l)
    : device_(device), layout_(l), words_(words_of(l.columns)) {
  constexpr const char* what = "a packed linear";
  const size_t plane = l.rows * words_, scalar = dtype_bytes(l.scale_type);
  const size_t orders = 2 * l.salient_groups(), row_scalars = l.rows * l.blocks() * scalar;
  sign_ = zeros<uint32_t>(device, plane, what);
  plane2_ = zeros<uint32_t>(device, plane, what);
  group2_ = zeros<uint32_t>(device, l.splits > 1 ? plane : 0, what);
  second_ = zeros<uint32_t>(device, l.column_group_bitmap ? plane : 0, what);
  salient_ = zeros<uint8_t>(device, l.columns, what);
  scale_ = zeros<uint8_t>(device, (orders + l.groups()) * row_scalars, what);
  if (l.method == Method::ArbRc)
    column_scale_ = zeros<uint8_t>(device, std::max(orders, l.groups()) * l.columns * scalar, what);
  else
    mean_ = zeros<uint8_t>(device, (l.salient_groups() + l.groups()) * row_scalars, what);
}

void GroupedPlanes::put(const FittedBlock& block) {
  const GroupFit& f = block.fit;
  const bool rank_one = layout_.method == Method::ArbRc;
  const unsigned slots =
      2 * f.salient_groups() + f.groups() + (rank_one ? 0 : f.salient_groups() + f.groups());
  const Grid grid{dim3(f.shape.tiles()), dim3(kThreads),
                  f.shape.width * kPadded * 5 + slots * kLaneRows * sizeof(float)};
  const Target target{block,
                      layout_.scale_type,
                      layout_.column_group_bitmap,
                      layout_.blocks(),
                      layout_.columns,
                      scale_.data(),
                      mean_.data(),
                      column_scale_.data(),
                      sign_.data(),
                      plane2_.data(),
                      group2_.data(),
                      second_.data(),
                      words_};
  launch(device_, rank_one ? put_kernel<true> : put_kernel<false>, grid, target);
}

PackedTensor GroupedPlanes::plane(const char* role, const Array<uint32_t>& words, size_t width) const {
  const size_t rows = layout_.rows, row_bytes = (width + 7) / 8, stride = words_of(width) * 4;
  const std::vector<uint32_t> all = words.download();
  PackedTensor out{role, DType::U8, {rows, row_bytes}, std::vector<uint8_t>(rows * row_bytes)};
  const uint8_t* from = reinterpret_cast<const uint8_t*>(all.data());
  for (size_t r = 0; r < rows; ++r)
    std::memcpy(out.bytes.data() + r * row_bytes, from + r * stride, row_bytes);
  return out;
}

PackedTensor GroupedPlanes::scalars(const char* role, const Array<uint8_t>& from,
                                    std::vector<size_t> shape) const {
  return {role, layout_.scale_type, std::move(shape), from.download()};
}

PackedLinear GroupedPlanes::take() {
  const std::vector<uint8_t> is_salient = salient_.download();
  PackedTensor flags{"salient", DType::U8, {(layout_.columns + 7) / 8}, {}};
  flags.bytes.resize(flags.shape[0]);
  std::vector<uint32_t> columns;
  for (size_t j = 0; j < is_salient.size(); ++j) {
    if (!is_salient[j]) continue;
    flags.bytes[j / 8] |= uint8_t(1 << j % 8);
    columns.push_back(uint32_t(j));
  }
  layout_.salient_columns = columns.size();
  PackedLinear linear;
  const Layout& l = linear.layout = layout_;
  linear.tensors = {plane("sign", sign_, l.columns), plane("plane2", plane2_, l.columns), std::move(flags)};
  if (l.splits > 1) linear.tensors.push_back(plane("group2", group2_, l.columns));
  if (l.column_group_bitmap) {
    Array<uint32_t> chosen(device_, columns.size(), "a packed linear");
    chosen.upload(columns);
    Array<uint32_t> gathered(device_, l.rows * words_of(columns.size()), "a packed linear");
    launch(device_, gather_kernel, one_each(gathered.size()), second_.data(), words_, chosen.data(),
           columns.size(), l.rows, gathered.data(), words_of(columns.size()));
    linear.tensors.push_back(plane("plane3", gathered, columns.size()));
  }
  const size_t orders = 2 * l.salient_groups();
  const auto row_scalars = [&](size_t slots) { return std::vector<size_t>{slots, l.rows, l.blocks()}; };
  if (l.method == Method::ArbRc) {
    linear.tensors.push_back(scalars("row_scale", scale_, row_scalars(orders + l.groups())));
    linear.tensors.push_back(
        scalars("column_scale", column_scale_, {std::max(orders, l.groups()), l.columns}));
  } else {
    linear.tensors.push_back(scalars("scale", scale_, row_scalars(orders + l.groups())));
    linear.tensors.push_back(scalars("mean", mean_, row_scalars(l.salient_groups() + l.groups())));
  }
  return linear;
}

}  // namespace signum::cuda
