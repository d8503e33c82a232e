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
  l.splits = recipe.splits;
  const bool calibrated = recipe.method == Method::ArbX;
  const size_t m = l.rows, nb = l.blocks();
  const size_t mean_slots = l.salient_groups() + l.groups(),
               scale_slots = 2 * l.salient_groups() + l.groups();
  GroupedPlanes planes(l);
  ScalarTensor scale("scale", l.scale_type, {scale_slots, m, nb});
  ScalarTensor mean("mean", l.scale_type, {mean_slots, m, nb});

  BlockLoop loop(std::move(weight), factor, l.blocksize, pool);
  Matrix error(m, std::min(l.blocksize, l.columns));
  for (size_t block = 0; block < loop.blocks(); ++block) {
    loop.enter(block);
    const BlockMasks masks = search_masks(recipe, loop.current(), loop.r_block(),
                                          calibrated ? &factor.blocks[block] : nullptr, pool);
    const size_t width = loop.width(), k = masks.salient;
    planes.enter(loop, masks);

    pool.parallel_for(masks.weight.count(), [&](size_t t) {
      alignas(64) float means[2 * kMaxGroups * kTileRows], scales[3 * kMaxGroups * kTileRows];
      Tiles first(kTileRows, width), second(kTileRows, k), value(kTileRows, width);
      const TileMasks tile = tile_masks(masks, t);
      const TilePlace place = tile_place(loop, masks, t);
      arb_fit(masks.weight.tile(t), tile, recipe.iterations, means, scales, first.tile(0), second.tile(0));
      if (calibrated)
        calibrated_fit(masks.weight.tile(t), tile, masks.gram.data(), recipe.iterations, first.tile(0),
                       second.tile(0), means, scales);
      for (size_t lane = 0; lane < place.rows; ++lane) {
        const auto at = [&](size_t slot) { return (slot * m + place.row + lane) * nb + block; };
        for (size_t s = 0; s < mean_slots; ++s)
          means[s * kTileRows + lane] = mean.set(at(s), means[s * kTileRows + lane]);
        for (size_t s = 0; s < scale_slots; ++s)
          scales[s * kTileRows + lane] = scale.set(at(s), scales[s * kTileRows + lane]);
      }
      mean_values(tile, means, scales, first.tile(0), second.tile(0), value.tile(0));
      planes.write(place, tile, {first.tile(0), second.tile(0), first.tile(0)});
      put_error(loop, masks, t, value.tile(0), error.view());
    });
    loop.leave_with_error(error.view().block(0, 0, m, width));
  }

  l.salient_columns = planes.salient_columns();
  linear.tensors = planes.take(pool);
  linear.tensors.push_back(scale.take());
  linear.tensors.push_back(mean.take());
  return linear;
}

}  // namespace signum
