#include "cuda/model/block_reduce.h"
#include "cuda/model/row_kernels.h"

namespace signum::cuda {

namespace row_work {

constexpr unsigned kThreads = 256;
constexpr unsigned kEach = 4;  // elements of a thread

// work(row, column) for all of rows x columns: one row for every x of the grid.
template <class Work>
__global__ void for_elements(size_t columns, Work work) {
  const size_t first = size_t(blockIdx.y) * (kThreads * kEach) + threadIdx.x;
  for (unsigned k = 0; k < kEach; ++k) {
    const size_t column = first + size_t(k) * kThreads;
    if (column < columns) work(size_t(blockIdx.x), column);
  }
}

template <class Work>
void run(Device& device, size_t rows, size_t columns, const Work& work) {
  launch(device, for_elements<Work>,
         Grid{dim3(unsigned(rows), parts(columns, kThreads * kEach)), dim3(kThreads)}, columns, work);
}

struct AddBias {
  DeviceView<float> x;
  const float* bias;
  __device__ void operator()(size_t r, size_t c) const { x.data[r * x.stride + c] += bias[c]; }
};
struct AddRows {
  DeviceView<float> x;
  DeviceView<const float> y;
  __device__ void operator()(size_t r, size_t c) const {
    x.data[r * x.stride + c] += y.data[r * y.stride + c];
  }
};
struct SubtractRows {
  DeviceView<float> x;
  DeviceView<const float> y;
  __device__ void operator()(size_t r, size_t c) const {
    x.data[r * x.stride + c] -= y.data[r * y.stride + c];
  }
};
__device__ inline size_t place_of(const Places& places, size_t row) {
  return (places.past_on_card ? size_t(*places.past_on_card) : places.past) + row % places.length;
}
struct AddPositions {
  DeviceView<float> x;
  DeviceView<const float> y;
  Places places;
  __device__ void operator()(size_t r, size_t c) const {
    x.data[r * x.stride + c] += y.data[place_of(places, r) * y.stride + c];
  }
};
struct Append {
  DeviceView<const float> from;
  DeviceView<float> keys, values;
  Places places;
  __device__ void operator()(size_t r, size_t c) const {
    const bool key = c < keys.columns;
    const DeviceView<float>& to = key ? keys : values;
    to.data[place_of(places, r) * to.stride + (key ? c : c - keys.columns)] = from.data[r * from.stride + c];
  }
};
struct Scale {
  DeviceView<float> x;
  float factor;
  __device__ void operator()(size_t r, size_t c) const { x.data[r * x.stride + c] *= factor; }
};
struct SoftCap {
  DeviceView<float> x;
  float cap;
  __device__ void operator()(size_t r, size_t c) const {
    float& value = x.data[r * x.stride + c];
    value = cap * tanhf(value / cap);
  }
};
struct Copy {
  DeviceView<const float> from;
  DeviceView<float> to;
  __device__ void operator()(size_t r, size_t c) const {
    to.data[r * to.stride + c] = from.data[r * from.stride + c];
  }
};

// As the CPU's: x / (1 + exp(-t)), the exponent kept below where exp is infinite twice over.
__device__ inline float times_sigmoid(float x, float t) { return x / (1.0f + expf(fminf(-t, 100.0f))); }
struct Activate {
  MlpKind kind;
  DeviceView<const float> gate_up;
  DeviceView<float> out;
  __device__ void operator()(size_t r, size_t c) const {
    const float* from = gate_up.data + r * gate_up.stride + c;
    const float gate = *from;
    float value;
    if (kind == MlpKind::SiluGated)
      value = times_sigmoid(gate, gate) * from[out.columns];
    else if (kind == MlpKind::GeluTanhGated)  // 2 sqrt(2 / pi)
      value = times_sigmoid(gate, 1.5957691216057308f * (gate + 0.044715f * (gate * (gate * gate)))) *
              from[out.columns];
    else
      value = gate < 0 ? 0.0f : gate;  // a NaN stays
    out.data[r * out.stride + c] = value;
  }
};

struct GatherHalves {
  const uint16_t* table;
  const uint32_t* ids;
  DeviceView<float> out;
  bool half;
  __device__ void operator()(size_t r, size_t c) const {
    const uint16_t bits = table[size_t(ids[r]) * out.columns + c];
    out.data[r * out.stride + c] = half ? from_half(bits) : from_bfloat(bits);
  }
};
struct GatherFloats {
  DeviceView<const float> x;
  const uint32_t* rows;
  DeviceView<float> out;
  __device__ void operator()(size_t r, size_t c) const {
    out.data[r * out.stride + c] = x.data[size_t(rows[r]) * x.stride + c];
  }
};
struct Finite {
  DeviceView<const float> x;
  uint32_t* finite;
  // Whoever writes, writes the same.
  __device__ void operator()(size_t r, size_t c) const {
    if ((float_bits(x.data[r * x.stride + c]) >> 23 & 0xFFu) == 0xFFu) *finite = 0;
  }
};

}  // namespace row_work

namespace {

using row_work::kThreads;

// 1 / sqrt(x) as F64's root and division give it after rounding to F32, but for neighbours once in millions:
// those take a card without fast F64 longer than all else here.
__device__ inline float inverse_root(double x) {
  const float guess = 1.0f / sqrtf(float(x));
  if (!(guess > 0) || guess > 1e30f) return guess;
  return float(double(guess) * (1.5 - 0.5 * x * double(guess) * double(guess)));
}

// A row by kWarps warps; with one warp, a block has eight rows.
template <unsigned kWarps>
__global__ void norm_kernel(NormView norm, DeviceView<const float> x, DeviceView<float> out) {
  const unsigned lane = kWarps == 1 ? threadIdx.x % 32 : threadIdx.x;
  const size_t row = kWarps == 1 ? size_t(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32 : blockIdx.x;
  if (row >= x.rows) return;  // whole warps
  const size_t n = x.columns, step = kWarps * 32;
  const float* from = x.data + row * x.stride;
  float* to = out.data + row * out.stride;
  float mean = 0;
  if (norm.bias)
    mean = float(block_reduce<kWarps>(sum_of(lane, step, n, [&](size_t i) { return from[i]; }), Plus()) /
                 double(n));
  const double squares = block_reduce<kWarps>(sum_of(lane, step, n,
                                                     [&](size_t i) {
                                                       const float v = from[i] - mean;
                                                       return v * v;
                                                     }),
                                              Plus());
  const float scale = inverse_root(squares / double(n) + norm.epsilon);
  for (size_t i = lane; i < n; i += step) {
    const float v = (from[i] - mean) * scale * norm.gain[i];
    to[i] = norm.bias ? v + norm.bias[i] : v;
  }
}

constexpr unsigned kLargestHead = 256;
constexpr unsigned kPairs = kLargestHead / 64;  // of a lane

// A head of a token by a warp: lane l has the pairs (i, i + half) of i = l, l + 32, ...
__global__ void place_heads_kernel(HeadChange change, DeviceView<float> x, size_t head_dim, size_t heads,
                                   Places places) {
  const unsigned lane = threadIdx.x % 32;
  const size_t index = size_t(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32;
  if (index >= x.rows * heads) return;  // whole warps
  const size_t token = index / heads, half = head_dim / 2;
  float* head = x.data + token * x.stride + index % heads * head_dim;
  float low[kPairs], high[kPairs];
  for (unsigned k = 0; k < kPairs; ++k) {
    const size_t i = lane + k * 32;
    low[k] = i < half ? head[i] : 0;
    high[k] = i < half ? head[i + half] : 0;
  }
  if (change.norm.gain) {
    const NormView& norm = change.norm;
    float mean = 0;
    if (norm.bias) {
      float run = 0;
      for (unsigned k = 0; k < kPairs; ++k) run += low[k] + high[k];
      mean = float(warp_reduce(double(run), Plus()) / double(head_dim));
    }
    float run = 0;
    for (unsigned k = 0; k < kPairs; ++k)
      if (lane + k * 32 < half) {
        low[k] -= mean;
        high[k] -= mean;
        run += low[k] * low[k] + high[k] * high[k];
      }
    const double squares = warp_reduce(double(run), Plus());
    const float scale = inverse_root(squares / double(head_dim) + norm.epsilon);
    for (unsigned k = 0; k < kPairs; ++k) {
      const size_t i = lane + k * 32;
      if (i >= half) continue;
      low[k] = low[k] * scale * norm.gain[i];
      high[k] = high[k] * scale * norm.gain[i + half];
      if (norm.bias) {
        low[k] += norm.bias[i];
        high[k] += norm.bias[i + half];
      }
    }
  }
  const size_t position = row_work::place_of(places, token);
  for (unsigned k = 0; k < kPairs; ++k) {
    const size_t i = lane + k * 32;
    if (i >= half) continue;
    float a = low[k], b = high[k];
    if (change.cosine) {
      const float c = change.cosine[position * half + i], s = change.sine[position * half + i];
      low[k] = a * c - b * s;
      high[k] = b * c + a * s;
    }
    head[i] = low[k];
    head[i + half] = high[k];
  }
}

}  // namespace

void apply_norm(Device& device, const NormView& norm, DeviceView<const float> x, DeviceView<float> out) {
  if (x.columns <= 512)
    launch(device, norm_kernel<1>, Grid{dim3(parts(x.rows, kThreads / 32)), dim3(kThreads)}, norm, x, out);
  else
    launch(device, norm_kernel<8>, Grid{dim3(unsigned(x.rows)), dim3(kThreads)}, norm, x, out);
}

void activate(Device& device, MlpKind kind, DeviceView<const float> gate_up, DeviceView<float> out) {
  row_work::run(device, out.rows, out.columns, row_work::Activate{kind, gate_up, out});
}

void add_bias(Device& device, DeviceView<float> x, const float* bias) {
  row_work::run(device, x.rows, x.columns, row_work::AddBias{x, bias});
}
void add_rows(Device& device, DeviceView<float> x, DeviceView<const float> y) {
  row_work::run(device, x.rows, x.columns, row_work::AddRows{x, y});
}
void subtract_rows(Device& device, DeviceView<float> x, DeviceView<const float> y) {
  row_work::run(device, x.rows, x.columns, row_work::SubtractRows{x, y});
}
void add_positions(Device& device, DeviceView<float> x, DeviceView<const float> y, const Places& places) {
  row_work::run(device, x.rows, x.columns, row_work::AddPositions{x, y, places});
}
void append_rows(Device& device, DeviceView<const float> from, DeviceView<float> keys,
                 DeviceView<float> values, const Places& places) {
  row_work::run(device, from.rows, from.columns, row_work::Append{from, keys, values, places});
}
void scale_rows(Device& device, DeviceView<float> x, float factor) {
  row_work::run(device, x.rows, x.columns, row_work::Scale{x, factor});
}
void soft_cap(Device& device, DeviceView<float> x, float cap) {
  row_work::run(device, x.rows, x.columns, row_work::SoftCap{x, cap});
}
void copy_rows(Device& device, DeviceView<const float> from, DeviceView<float> to) {
  row_work::run(device, from.rows, from.columns, row_work::Copy{from, to});
}

void place_heads(Device& device, const HeadChange& change, DeviceView<float> x, size_t head_dim,
                 const Places& places) {
  if (!change.norm.gain && !change.cosine) return;
  const size_t heads = x.columns / head_dim;
  launch(device, place_heads_kernel, Grid{dim3(parts(x.rows * heads, kThreads / 32)), dim3(kThreads)}, change,
         x, head_dim, heads, places);
}

void gather_rows(Device& device, const void* table, DType dtype, const uint32_t* ids, DeviceView<float> out) {
  if (dtype == DType::F32)
    return gather_rows(device, {static_cast<const float*>(table), 0, out.columns, out.columns}, ids, out);
  row_work::run(device, out.rows, out.columns,
                row_work::GatherHalves{static_cast<const uint16_t*>(table), ids, out, dtype == DType::F16});
}
void gather_rows(Device& device, DeviceView<const float> x, const uint32_t* rows, DeviceView<float> out) {
  row_work::run(device, out.rows, out.columns, row_work::GatherFloats{x, rows, out});
}

void check_finite(Device& device, DeviceView<const float> x, uint32_t* finite) {
  row_work::run(device, x.rows, x.columns, row_work::Finite{x, finite});
}

}  // namespace signum::cuda
