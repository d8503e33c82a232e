// ARB-LLM_RC (arXiv 2410.03129): BiLLM's masks, every group fitted by alternating row and column scales,
// no means.
#include "methods/grouped_block.h"
#include "methods/method_list.h"
#include "methods/rank_one.h"

namespace signum {
namespace {

// Row and column scales share a free factor: mean column scale 1, so that both fit the storage type.
// row [tiles][groups][16], column [groups][columns].
void normalize(std::vector<float>& row, std::vector<float>& column, size_t groups, size_t columns) {
  const size_t tiles = groups == 0 ? 0 : row.size() / (groups * kTileRows);
  for (size_t g = 0; g < groups; ++g) {
    double sum = 0;
    size_t members = 0;
    for (size_t j = 0; j < columns; ++j) {
      sum += std::fabs(column[g * columns + j]);
      members += column[g * columns + j] != 0;
    }
    if (members == 0) continue;
    const float mean = float(sum / double(members));
    for (size_t j = 0; j < columns; ++j) column[g * columns + j] /= mean;
    for (size_t t = 0; t < tiles; ++t)
      for (size_t lane = 0; lane < kTileRows; ++lane) row[(t * groups + g) * kTileRows + lane] *= mean;
  }
}

}  // namespace

PackedLinear quantize_arb_rc(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = Method::ArbRc;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.blocksize = recipe.blocksize;
  l.column_group_bitmap = recipe.column_group_bitmap;
  l.splits = recipe.splits;
  const size_t m = l.rows, n = l.columns, nb = l.blocks();
  const size_t groups = l.groups(), salient_groups = l.salient_groups(), salient_slots = 2 * salient_groups;
  GroupedPlanes planes(l);
  ScalarTensor row_scale("row_scale", l.scale_type, {salient_slots + groups, m, nb});
  ScalarTensor column_scale("column_scale", l.scale_type, {std::max(salient_slots, groups), n});

  BlockLoop loop(std::move(weight), factor, l.blocksize, pool);
  Matrix error(m, std::min(l.blocksize, n));
  for (size_t block = 0; block < loop.blocks(); ++block) {
    loop.enter(block);
    const BlockMasks masks = search_masks(recipe, loop.current(), loop.r_block(), nullptr, pool);
    const size_t width = loop.width(), k = masks.salient, others = width - k;
    planes.enter(loop, masks);
    RankOneFit inner =
        fit_rank_one({&masks.weight, &masks.search, masks.salient_splits, 0, k, 2, recipe.iterations}, pool);
    RankOneFit outer =
        fit_rank_one({&masks.weight, &masks.search, masks.splits, k, others, 1, recipe.iterations}, pool);
    for (int o = 0; o < 2; ++o) normalize(inner.row_scale[o], inner.column_scale[o], salient_groups, k);
    normalize(outer.row_scale[0], outer.column_scale[0], groups, others);

    // Stored column scales: salient slots (group * 2 + order) [slots][k], other slots [groups][others].
    std::vector<float> inner_columns(salient_slots * k), outer_columns(groups * others);
    for (size_t g = 0; g < salient_groups; ++g)
      for (size_t o = 0; o < 2; ++o)
        for (size_t j = 0; j < k; ++j)
          inner_columns[(g * 2 + o) * k + j] = column_scale.set(
              (g * 2 + o) * n + loop.start() + masks.order[j], inner.column_scale[o][g * k + j]);
    for (size_t g = 0; g < groups; ++g)
      for (size_t j = 0; j < others; ++j)
        outer_columns[g * others + j] = column_scale.set(g * n + loop.start() + masks.order[k + j],
                                                         outer.column_scale[0][g * others + j]);

    pool.parallel_for(masks.weight.count(), [&](size_t t) {
      alignas(64) float inner_rows[2 * kMaxGroups * kTileRows] = {}, outer_rows[kMaxGroups * kTileRows] = {};
      const TileMasks tile = tile_masks(masks, t);
      const TilePlace place = tile_place(loop, masks, t);
      for (size_t lane = 0; lane < place.rows; ++lane) {
        const auto at = [&](size_t slot) { return (slot * m + place.row + lane) * nb + block; };
        for (size_t g = 0; g < salient_groups; ++g)
          for (size_t o = 0; o < 2; ++o)
            inner_rows[(g * 2 + o) * kTileRows + lane] =
                row_scale.set(at(g * 2 + o), inner.row_scale[o][(t * salient_groups + g) * kTileRows + lane]);
        for (size_t g = 0; g < groups; ++g)
          outer_rows[g * kTileRows + lane] =
              row_scale.set(at(salient_slots + g), outer.row_scale[0][(t * groups + g) * kTileRows + lane]);
      }
      Tiles value(kTileRows, width);
      const float *sign1 = inner.sign[0].tile(t), *sign2 = inner.sign[1].tile(t);
      arb_rc_values(masks.weight.tile(t), tile, inner_rows, inner_columns.data(), sign1, sign2, outer_rows,
                    outer_columns.data(), value.tile(0));
      planes.write(place, tile, {sign1, sign2, masks.weight.tile(t)});
      put_error(loop, masks, t, value.tile(0), error.view());
    });
    loop.leave_with_error(error.view().block(0, 0, m, width));
  }

  l.salient_columns = planes.salient_columns();
  linear.tensors = planes.take(pool);
  linear.tensors.push_back(row_scale.take());
  linear.tensors.push_back(column_scale.take());
  return linear;
}

}  // namespace signum
