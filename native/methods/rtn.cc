// Round to nearest (arXiv 2210.17323): no calibration, dead columns are not touched.
#include "base/pool.h"
#include "methods/grid.h"
#include "methods/method_list.h"

namespace signum {

PackedLinear quantize_rtn(const Recipe& recipe, const Matrix& weight, ThreadPool& pool) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = Method::Rtn;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.bits = recipe.bits;
  l.group = recipe.group < 0 ? l.columns : std::min(size_t(recipe.group), l.columns);
  const size_t groups = (l.columns + l.group - 1) / l.group, row_bytes = (l.columns * size_t(l.bits) + 7) / 8;
  const float levels = float((1 << l.bits) - 1);

  PackedTensor code{"code", DType::U8, {l.rows, row_bytes}, std::vector<uint8_t>(l.rows * row_bytes)};
  PackedTensor zero{"code_zero", DType::U8, {l.rows, groups}, std::vector<uint8_t>(l.rows * groups)};
  ScalarTensor scale("code_scale", l.scale_type, {l.rows, groups});
  pool.parallel_for(l.rows, [&](size_t i) {
    const float* w = weight.row(i);
    for (size_t g = 0; g < groups; ++g) {
      const size_t begin = g * l.group, end = std::min(begin + l.group, l.columns);
      float least = 0, most = 0;
      for (size_t j = begin; j < end; ++j) {
        least = std::min(least, w[j]);
        most = std::max(most, w[j]);
      }
      const Grid grid = make_grid(least, most, levels, l.scale_type);
      scale.set(i * groups + g, grid.step);
      zero.bytes[i * groups + g] = uint8_t(grid.zero);
      for (size_t j = begin; j < end; ++j) {
        const float q = std::min(std::max(std::nearbyint(w[j] / grid.step) + grid.zero, 0.0f), levels);
        put_code(code.bytes.data() + i * row_bytes, j, l.bits, uint32_t(q));
      }
    }
  });
  linear.tensors = {std::move(code), scale.take(), std::move(zero)};
  return linear;
}

}  // namespace signum
