// BiLLM (arXiv 2402.04291): salient columns binarized in two orders, the others in two groups, no propagation
// inside a block.
#include "methods/grouped_block.h"
#include "methods/method_list.h"

namespace signum {

PackedLinear quantize_billm(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = Method::BiLLM;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.blocksize = recipe.blocksize;
  const size_t m = l.rows, nb = l.blocks();
  GroupedPlanes planes(l);
  ScalarTensor scale("scale", l.scale_type, {4, m, nb}), mean("mean", l.scale_type, {3, m, nb});

  BlockLoop loop(std::move(weight), factor, l.blocksize, pool);
  Matrix error(m, std::min(l.blocksize, l.columns));
  for (size_t block = 0; block < loop.blocks(); ++block) {
    loop.enter(block);
    const BlockMasks masks = search_masks(recipe, loop.current(), loop.r_block(), nullptr, pool);
    const size_t width = loop.width();
    planes.enter(loop, masks);

    pool.parallel_for(masks.weight.count(), [&](size_t t) {
      alignas(64) float means[3 * kTileRows], scales[4 * kTileRows];
      Tiles first(kTileRows, width), second(kTileRows, masks.salient), value(kTileRows, width);
      const TileMasks tile = tile_masks(masks, t);
      const TilePlace place = tile_place(loop, masks, t);
      billm_fit(masks.weight.tile(t), tile, means, scales, first.tile(0), second.tile(0));
      for (size_t lane = 0; lane < place.rows;
           ++lane) {  // stored precision first (ARCHITECTURE.md, decision 14)
        const auto at = [&](size_t slot) { return (slot * m + place.row + lane) * nb + block; };
        for (size_t s = 0; s < 3; ++s)
          means[s * kTileRows + lane] = mean.set(at(s), means[s * kTileRows + lane]);
        for (size_t s = 0; s < 4; ++s)
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
