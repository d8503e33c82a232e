#include "methods/coded_linear.h"

#include "methods/bit_streams.h"

namespace signum {
namespace {

Layout layout_of(const Recipe& recipe, size_t rows, size_t columns) {
  Layout layout;
  layout.method = recipe.method;
  layout.rows = rows;
  layout.columns = columns;
  layout.scale_type = recipe.scale_type;
  layout.bits = recipe.bits;
  layout.group = recipe.group_columns(columns);
  layout.symmetric = recipe.symmetric;
  return layout;
}

PackedTensor bytes_tensor(const char* role, size_t rows, size_t width) {
  return {role, DType::U8, {rows, width}, std::vector<uint8_t>(rows * width)};
}

}  // namespace

CodedLinear::CodedLinear(const Recipe& recipe, size_t rows, size_t columns)
    : linear_{layout_of(recipe, rows, columns), {}, {}},
      groups_((columns + group() - 1) / group()),
      row_bytes_(bytes_of_bits(columns * size_t(recipe.bits))),
      code_(bytes_tensor("code", rows, row_bytes_)),
      zero_(bytes_tensor("code_zero", rows, recipe.symmetric ? 0 : groups_)),
      scale_("code_scale", recipe.scale_type, {rows, groups_}) {}

void CodedLinear::put_grids(size_t row, size_t rows, size_t g, const TileGrids& grids) {
  for (size_t lane = 0; lane < rows; ++lane) {
    const size_t at = (row + lane) * groups_ + g;
    scale_.set(at, grids.step[lane]);
    if (!linear_.layout.symmetric) zero_.bytes[at] = uint8_t(grids.zero[lane]);
  }
}

void CodedLinear::put_codes(size_t row, size_t rows, size_t column, size_t width, const float* codes) {
  for (size_t lane = 0; lane < rows; ++lane) {
    uint8_t* to = code_.bytes.data() + (row + lane) * row_bytes_;
    for (size_t j = 0; j < width; ++j)
      put_code(to, column + j, size_t(linear_.layout.bits), uint32_t(codes[j * kTileRows + lane]));
  }
}

PackedLinear CodedLinear::take() {
  linear_.tensors.push_back(std::move(code_));
  linear_.tensors.push_back(scale_.take());
  if (!linear_.layout.symmetric) linear_.tensors.push_back(std::move(zero_));
  return std::move(linear_);
}

}  // namespace signum
