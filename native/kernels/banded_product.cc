#include "kernels/banded_product.h"

#include <algorithm>

#include "base/growing_array.h"
#include "base/pool.h"
#include "math/linear_algebra.h"

namespace signum::kernels {
namespace {

constexpr size_t kBandNumbers = size_t(2) << 20;
constexpr size_t kLeastRows = 256;  // so that a product is worth its packing
constexpr size_t kRowsOfTask = 16;

}  // namespace

void multiply_in_bands(const RowFiller& fill, ConstView x, float beta, View out, ThreadPool& pool) {
  const size_t columns = x.columns;
  const size_t band =
      std::min(out.columns, std::max(kLeastRows, kBandNumbers / std::max<size_t>(1, columns)));
  thread_local GrowingArray kept;
  float* numbers = kept.room(band * columns);
  for (size_t first = 0; first < out.columns; first += band) {
    const size_t rows = std::min(band, out.columns - first);
    pool.parallel_for((rows + kRowsOfTask - 1) / kRowsOfTask, [&](size_t task) {
      const size_t begin = task * kRowsOfTask, count = std::min(kRowsOfTask, rows - begin);
      fill(first + begin, count, numbers + begin * columns);
    });
    gemm_transposed(1.0f, x, ConstView{numbers, rows, columns, columns}, beta,
                    out.block(0, first, out.rows, rows), pool);
  }
}

}  // namespace signum::kernels
