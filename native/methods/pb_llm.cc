// PB-LLM after training (PB-GPTQ, arXiv 2310.00034): a share of the weights, wherever they are, keeps codes
// of several bits, the others become signs with a mean and a scale; errors propagated column by column.
#include <numeric>

#include "base/pool.h"
#include "methods/bit_streams.h"
#include "methods/compensation.h"
#include "methods/group_kernels.h"
#include "methods/method_list.h"
#include "methods/pb_llm_kernels.h"
#include "methods/salient_mask.h"
#include "methods/salient_weights.h"
#include "methods/stored.h"

namespace signum {
namespace {

// What a weight's size counts for by its column: R_jj = 1 / U_jj, or 1; nothing in dead columns.
std::vector<float> column_weights(const Recipe& recipe, const Factor& factor) {
  std::vector<float> out(factor.r.columns());
  for (size_t j = 0; j < out.size(); ++j)
    out[j] = factor.dead[j] ? 0 : recipe.salience == Salience::Hessian ? factor.r(j, j) : 1;
  return out;
}

// The scalars of every row and group: all are made of the weights as they were, before any error is passed
// on.
struct Scalars {
  ScalarTensor mean, scale, step;   // [rows, groups], [rows, groups], [rows]
  PackedTensor zero;                // [rows]
  std::vector<PbLlmLevels> levels;  // [tiles][groups], as stored
  std::vector<TileGrids> grids;     // [tiles]

  Scalars(const Layout& l, size_t groups)
      : mean("mean", l.scale_type, {l.rows, groups}),
        scale("scale", l.scale_type, {l.rows, groups}),
        step("code_scale", l.scale_type, {l.rows}),
        zero{"code_zero", DType::U8, {l.rows}, std::vector<uint8_t>(l.rows)},
        levels(tiles_of(l.rows) * groups),
        grids(tiles_of(l.rows)) {}
};

Scalars fit_scalars(const Recipe& recipe, const Layout& l, const Matrix& weight, const Factor& factor,
                    const SalientWeights& salient, ThreadPool& pool) {
  const size_t groups = (l.columns + l.group - 1) / l.group;
  Scalars out(l, groups);
  pool.parallel_for(out.grids.size(), [&](size_t t) {
    const size_t first = t * kTileRows;
    Tiles tile(std::min(kTileRows, l.rows - first), l.columns);
    tile.load(0, weight.view().block(first, 0, tile.rows(), l.columns));
    // The grid of the salient weights spans the whole row, dead columns included.
    out.grids[t] = tile_grids(tile.tile(0), l.columns, recipe);
    for (size_t j = 0; j < l.columns; ++j)
      if (factor.dead[j]) std::fill_n(tile.tile(0) + j * kTileRows, kTileRows, 0.0f);
    for (size_t g = 0; g < groups; ++g) {
      PbLlmLevels& levels = out.levels[t * groups + g];
      const size_t begin = g * l.group, width = std::min(l.group, l.columns - begin);
      pb_llm_levels(tile.tile(0) + begin * kTileRows, width, salient.tile(t, l.columns) + begin,
                    recipe.mean_rule == MeanRule::LeastSquares, levels.mean, levels.scale);
      for (size_t lane = 0; lane < tile.rows(); ++lane) {
        levels.mean[lane] = out.mean.set((first + lane) * groups + g, levels.mean[lane]);
        levels.scale[lane] = out.scale.set((first + lane) * groups + g, levels.scale[lane]);
      }
    }
    for (size_t lane = 0; lane < tile.rows(); ++lane) {
      out.step.set(first + lane, out.grids[t].step[lane]);
      out.zero.bytes[first + lane] = uint8_t(out.grids[t].zero[lane]);
    }
  });
  return out;
}

// From masks over tiles to places in rows.
SalientPlaces places_of(const Layout& l, const SalientWeights& salient, ThreadPool& pool) {
  SalientPlaces places{std::vector<size_t>(l.rows + 1), std::vector<uint32_t>(l.salient_weights)};
  std::partial_sum(salient.rows.begin(), salient.rows.end(), places.starts.begin() + 1, std::plus<size_t>());
  pool.parallel_for(tiles_of(l.rows), [&](size_t t) {
    size_t next[kTileRows] = {};
    for (size_t lane = 0; lane < std::min(kTileRows, l.rows - t * kTileRows); ++lane)
      next[lane] = places.starts[t * kTileRows + lane];
    const uint16_t* masks = salient.tile(t, l.columns);
    for (size_t j = 0; j < l.columns; ++j)
      for (uint32_t left = masks[j]; left; left &= left - 1)
        places.columns[next[std::countr_zero(left)]++] = uint32_t(j);
  });
  return places;
}

// Signs and codes of the blocks as they are done.
class Codes {
 public:
  Codes(const Layout& l, const SalientPlaces& places)
      : layout_(l),
        sign_("sign", l.rows, l.columns),
        codes_(l.salient_weights),
        next_(places.starts.begin(), places.starts.end() - 1),
        place_(l.columns) {
    std::iota(place_.begin(), place_.end(), 0);
  }

  // A tile of a block: codes [width][16] as pb_llm_columns gives them, salient [width].
  void put(size_t row, size_t rows, size_t column, size_t width, const float* codes,
           const uint16_t* salient) {
    const uint32_t half = 1u << (layout_.salient_bits - 1);
    std::vector<uint16_t> upper(width);
    row_masks(codes, width, false, float(half), place_.data(), upper.data());
    sign_.put(row, rows, column, upper.data(), width);
    for (size_t j = 0; j < width; ++j)
      for (uint32_t left = salient[j]; left; left &= left - 1) {
        const size_t lane = size_t(std::countr_zero(left));
        codes_[next_[row + lane]++] = uint8_t(uint32_t(codes[j * kTileRows + lane]) & (half - 1));
      }
  }
  PackedTensor take_sign() { return sign_.take(); }
  PackedTensor take_codes(ThreadPool& pool) {
    const size_t bits = size_t(layout_.salient_bits) - 1, bytes = bytes_of_bits(codes_.size() * bits);
    PackedTensor tensor{"code", DType::U8, {bytes}, std::vector<uint8_t>(bytes)};
    put_codes(
        tensor.bytes.data(), bits, codes_.size(), [&](size_t k) { return uint32_t(codes_[k]); }, pool);
    return tensor;
  }

 private:
  const Layout& layout_;
  BitPlane sign_;
  std::vector<uint8_t> codes_;   // [salient weights], without their top bit
  std::vector<size_t> next_;     // [rows]: where the row's next code goes
  std::vector<uint32_t> place_;  // 0, 1, 2, ...
};

}  // namespace

PackedLinear quantize_pb_llm(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = Method::PbLlm;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.group = recipe.group_columns(l.columns);
  l.salient_bits = recipe.bits;
  l.salient_weights = salient_of_linear(l.rows, l.columns, l.group, recipe.salient_share);
  l.mask_low_bits = choose_mask_low_bits(l.rows, l.columns, l.salient_weights);

  const SalientWeights salient =
      find_salient(weight.view(), column_weights(recipe, factor), l.group, recipe.salient_share, pool);
  Scalars scalars = fit_scalars(recipe, l, weight, factor, salient, pool);
  const SalientPlaces places = places_of(l, salient, pool);
  Codes codes(l, places);
  const size_t groups = scalars.levels.size() / scalars.grids.size();

  BlockLoop loop(std::move(weight), factor, recipe.blocksize, pool);
  Matrix quantized(l.rows, std::min(recipe.blocksize, l.columns));
  for (size_t block = 0; block < loop.blocks(); ++block) {
    loop.enter(block);
    const size_t width = loop.width(), start = loop.start();
    std::vector<float> r_diagonal(width);
    for (size_t j = 0; j < width; ++j) r_diagonal[j] = loop.r_block()(j, j);
    pool.parallel_for(tiles_of(l.rows), [&](size_t t) {
      const size_t row = t * kTileRows;
      Tiles tile(std::min(kTileRows, l.rows - row), width), own(kTileRows, width), values(tile.rows(), width);
      tile.load(0, loop.current().block(row, 0, tile.rows(), width));
      const uint16_t* masks = salient.tile(t, l.columns) + start;
      for (size_t begin = 0; begin < width;) {  // the part of each group that lies in this block
        const size_t g = (start + begin) / l.group, end = std::min(width, (g + 1) * l.group - start);
        pb_llm_columns(tile.tile(0), begin, end, width, loop.u_block(), r_diagonal.data(), masks,
                       scalars.levels[t * groups + g], scalars.grids[t], highest_code(l.salient_bits),
                       own.tile(0), values.tile(0));
        begin = end;
      }
      codes.put(row, tile.rows(), start, width, own.tile(0), masks);
      values.store(0, quantized.view().block(row, 0, tile.rows(), width));
    });
    loop.leave_with_quantized(quantized.view().block(0, 0, l.rows, width));
  }
  linear.tensors = store_mask(l, places, pool);
  linear.tensors.push_back(codes.take_sign());
  linear.tensors.push_back(codes.take_codes(pool));
  for (ScalarTensor* tensor : {&scalars.mean, &scalars.scale, &scalars.step})
    linear.tensors.push_back(tensor->take());
  linear.tensors.push_back(std::move(scalars.zero));
  return linear;
}

}  // namespace signum
