// ARB-LLM and ARB-LLM_X (arXiv 2410.03129): BiLLM's masks, every group fitted by a mean, scales and signs
// that are refined in turns; in arb-x means and scales then once more, against the inputs.
#include "methods/arb_kernels.h"
#include "methods/calibrated_fit.h"
#include "methods/grouped_block.h"
#include "methods/method_list.h"

namespace signum {

PackedLinear quantize_arb(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = recipe.method;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.blocksize = recipe.blocksize;
  l.column_group_bitmap = recipe.column_group_bitmap;
  const bool calibrated = recipe.method == Method::ArbX;
  const size_t m = l.rows, n = l.columns, nb = l.blocks(), groups = l.column_group_bitmap ? 2 : 1;
  BitPlane sign("sign", m, n), plane2("plane2", m, n), salient("salient", 1, n), second_sign("plane3", m, n);
  std::vector<uint32_t> salient_columns;
  ScalarTensor scale("scale", l.scale_type, {2 * groups + 2, m, nb});
  ScalarTensor mean("mean", l.scale_type, {groups + 2, m, nb});

  BlockLoop loop(std::move(weight), factor, l.blocksize, pool);
  Matrix error(m, std::min(l.blocksize, n));
  for (size_t block = 0; block < loop.blocks(); ++block) {
    loop.enter(block);
    const BlockMasks masks = search_masks(recipe, loop.current(), loop.r_block(),
                                          calibrated ? &factor.blocks[block] : nullptr, pool);
    const size_t width = loop.width(), k = masks.salient;
    for (size_t j = 0; j < k; ++j) {
      salient.set(0, loop.start() + masks.order[j]);
      salient_columns.push_back(uint32_t(loop.start() + masks.order[j]));
    }

    pool.parallel_for(masks.weight.count(), [&](size_t t) {
      alignas(64) float means[4 * kTileRows], scales[6 * kTileRows];
      Tiles first(kTileRows, width), second(kTileRows, k), value(kTileRows, width);
      const TileMasks tile = tile_masks(masks, t);
      const TilePlace place = tile_place(loop, masks, t);
      arb_fit(masks.weight.tile(t), tile, groups, recipe.iterations, means, scales, first.tile(0),
              second.tile(0));
      if (calibrated)
        calibrated_fit(masks.weight.tile(t), tile, groups, masks.gram.data(), recipe.iterations,
                       first.tile(0), second.tile(0), means, scales);
      for (size_t lane = 0; lane < place.rows; ++lane) {
        const auto at = [&](size_t slot) { return (slot * m + place.row + lane) * nb + block; };
        for (size_t s = 0; s < groups + 2; ++s)
          means[s * kTileRows + lane] = mean.set(at(s), means[s * kTileRows + lane]);
        for (size_t s = 0; s < 2 * groups + 2; ++s)
          scales[s * kTileRows + lane] = scale.set(at(s), scales[s * kTileRows + lane]);
      }
      mean_values(tile, groups, means, scales, first.tile(0), second.tile(0), value.tile(0));
      TilePlane signs(place, width), second_plane(place, width);
      signs.signs(first.tile(0), 0, width);
      signs.write(sign);
      second_plane.group(tile.search, k, width, masks.threshold);
      if (l.column_group_bitmap) {
        second_plane.group(tile.search, 0, k, masks.salient_threshold);
        TilePlane seconds(place, width);
        seconds.signs(second.tile(0), 0, k);
        seconds.write(second_sign);
      } else {
        second_plane.signs(second.tile(0), 0, k);
      }
      second_plane.write(plane2);
      put_error(loop, masks, t, value.tile(0), error.view());
    });
    loop.leave_with_error(error.view().block(0, 0, m, width));
  }

  l.salient_columns = salient_columns.size();
  PackedTensor flags = salient.take();
  flags.shape = {flags.shape[1]};
  linear.tensors = {sign.take(), plane2.take(), std::move(flags), scale.take(), mean.take()};
  if (l.column_group_bitmap)  // second signs of the salient columns only, ascending
    linear.tensors.push_back(plane_of_columns(second_sign.take(), salient_columns, pool));
  return linear;
}

}  // namespace signum
