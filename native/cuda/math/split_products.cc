#include "cuda/math/split_products.h"

#include <algorithm>

#include "cuda/math/planes.h"

namespace signum::cuda::own {
namespace {

constexpr const char* kWhat = "the parts of a product's operands";
constexpr size_t kDepth = 1024;     // of k whose parts are there at once
constexpr size_t kColumns = 2048;   // of a gram matrix that are made at once
constexpr size_t kLeastRows = 128;  // whose parts are there at once

// Which parts are multiplied, the smallest products first; the three left out are below 2^-24.
constexpr size_t kPairs[][2] = {{0, 2}, {1, 1}, {2, 0}, {0, 1}, {1, 0}, {0, 0}};

// Three BF16 parts of a matrix as it is stored.
struct Parts {
  size_t stride = 0, plane = 0;
  Array<uint16_t> data;

  Parts(Device& device, DeviceView<const float> a)
      : stride(plane_stride(a.columns)), plane(a.rows * stride), data(device, 3 * plane, kWhat) {
    split_bfloat(device, a, data.data());
  }
  const uint16_t* part(size_t i) const { return data.data() + i * plane; }
};

}  // namespace

void multiply_split(Device& device, const Product<float, float>& p, const MultiplyHalves& multiply) {
  if (p.k == 0) return own::multiply(device, p);
  for (size_t s = 0; s < p.k; s += kDepth) {
    const size_t depth = std::min(kDepth, p.k - s);
    const Parts a(device, p.a_transposed ? DeviceView<const float>{p.a + s * p.lda, depth, p.m, p.lda}
                                         : DeviceView<const float>{p.a + s, p.m, depth, p.lda});
    const Parts b(device, p.b_transposed ? DeviceView<const float>{p.b + s, p.n, depth, p.ldb}
                                         : DeviceView<const float>{p.b + s * p.ldb, depth, p.n, p.ldb});
    Product<float, uint16_t, uint16_t> q;
    q.a_transposed = p.a_transposed;
    q.b_transposed = p.b_transposed;
    q.m = p.m;
    q.n = p.n;
    q.k = depth;
    q.alpha = p.alpha;
    q.lda = a.stride;
    q.ldb = b.stride;
    q.beta = s == 0 ? p.beta : 1;
    q.c = p.c;
    q.ldc = p.ldc;
    for (const auto& [i, j] : kPairs) {
      q.a = a.part(i);
      q.b = b.part(j);
      multiply(q);
      q.beta = 1;
    }
  }
}

void add_lower_gram_split(Device& device, float alpha, DeviceView<const float> x, DeviceView<float> c,
                          const MultiplyHalves& multiply) {
  const size_t n = x.columns;
  for (size_t s = 0; s < x.rows; s += kDepth) {
    const size_t depth = std::min(kDepth, x.rows - s);
    const Parts parts(device, x.block(s, 0, depth, n));
    for (size_t column = 0; column < n; column += kColumns) {
      Product<float, uint16_t, uint16_t> q;
      q.a_transposed = true;
      q.m = n - column;
      q.n = std::min(kColumns, n - column);
      q.k = depth;
      q.alpha = alpha;
      q.lda = q.ldb = parts.stride;
      q.beta = 1;
      q.c = c.data + column * (c.stride + 1);
      q.ldc = c.stride;
      for (const auto& [i, j] : kPairs) {
        q.a = parts.part(i) + column;
        q.b = parts.part(j) + column;
        multiply(q);
      }
    }
  }
}

void multiply_stored(Device& device, const Product<float, uint16_t>& p, const MultiplyHalves& multiply,
                     size_t room) {
  if (p.k == 0) return own::multiply(device, p);
  const size_t count = p.half ? 2 : 3, stride = plane_stride(p.k);
  const bool beside = p.half && p.beta != 0;
  const size_t row_bytes = count * stride * sizeof(uint16_t) + (beside ? p.n * sizeof(float) : 0);
  const size_t most = std::max(kLeastRows, room / row_bytes / kLeastRows * kLeastRows);
  const size_t height = std::min(most, p.m);
  const Array<uint16_t> planes(device, count * height * stride, kWhat);
  Array<float> scales, product;
  if (p.half) scales = Array<float>(device, height, kWhat);
  if (beside) product = Array<float>(device, height * p.n, kWhat);
  for (size_t first = 0; first < p.m; first += height) {
    const size_t rows = std::min(height, p.m - first);
    const DeviceView<const float> x{p.a + first * p.lda, rows, p.k, p.lda};
    const DeviceView<float> out{p.c + first * p.ldc, rows, p.n, p.ldc};
    // F16's parts are of scaled rows: their product is made beside what it is added to.
    const DeviceView<float> to = product ? view_of(product, rows, p.n) : out;
    if (p.half)
      split_half(device, x, planes.data(), scales.data());
    else
      split_bfloat(device, x, planes.data());
    Product<float, uint16_t, uint16_t> q;
    q.b_transposed = true;
    q.half = p.half;
    q.m = rows;
    q.n = p.n;
    q.k = p.k;
    q.lda = stride;
    q.b = p.b;
    q.ldb = p.ldb;
    q.beta = p.half ? 0 : p.beta;
    q.c = to.data;
    q.ldc = to.stride;
    for (size_t part = count; part-- > 0;) {  // the small parts first
      q.a = planes.data() + part * rows * stride;
      multiply(q);
      q.beta = 1;
    }
    if (p.half) scale_rows(device, to, scales.data(), p.beta, out);
  }
}

}  // namespace signum::cuda::own
