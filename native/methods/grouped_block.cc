#include "methods/grouped_block.h"

namespace signum {
namespace {

// One tile's part of a plane, gathered column by column and then written.
class TilePlane {
 public:
  TilePlane(const TilePlace& place, size_t width) : place_(place), masks_(width) {}

  // Tile columns [begin, end): bit = value >= 0.
  void signs(const float* values, size_t begin, size_t end) {
    row_masks(values + begin * kTileRows, end - begin, false, 0, place_.order + begin, masks_.data());
  }
  // Tile columns [begin, end): bit = |T| >= threshold.
  void sizes(const float* search, size_t begin, size_t end, float threshold) {
    row_masks(search + begin * kTileRows, end - begin, true, threshold, place_.order + begin, masks_.data());
  }
  void write(BitPlane& plane) const {
    plane.put(place_.row, place_.rows, place_.start, masks_.data(), masks_.size());
  }
  std::vector<uint16_t>& masks() { return masks_; }

 private:
  TilePlace place_;
  std::vector<uint16_t> masks_;  // by block column
};

// How many of the thresholds |T| reaches, 0 to splits.count, in one bit or two: plane2 has the higher one.
void put_groups(const TilePlace& place, const TileMasks& masks, size_t begin, size_t end,
                const Splits& splits, TilePlane& plane2, TilePlane& group2) {
  if (splits.count == 1) return plane2.sizes(masks.search, begin, end, splits.at[0]);
  // |T| reaches at least c of them: the last c - 1 and the one before.
  const auto reaches = [&](size_t c) {
    TilePlane plane(place, masks.columns);
    plane.sizes(masks.search, begin, end, splits.at[splits.count - c]);
    return plane.masks();
  };
  const std::vector<uint16_t> one = reaches(1), two = reaches(2);
  const std::vector<uint16_t> three = splits.count > 2 ? reaches(3) : std::vector<uint16_t>(masks.columns);
  for (size_t j = begin; j < end; ++j) {
    const uint32_t at = place.order[j];
    plane2.masks()[at] = two[at];
    group2.masks()[at] = uint16_t((one[at] & ~two[at]) | three[at]);
  }
}

// plane3: the given columns of a plane as wide as the linear.
PackedTensor plane_of_columns(const PackedTensor& wide, const std::vector<uint32_t>& columns,
                              ThreadPool& pool) {
  const size_t rows = wide.shape[0], row_bytes = wide.shape[1];
  BitPlane plane("plane3", rows, columns.size());
  pool.parallel_for(rows, [&](size_t i) {
    const uint8_t* row = wide.bytes.data() + i * row_bytes;
    for (size_t j = 0; j < columns.size(); ++j)
      if (row[columns[j] / 8] >> (columns[j] & 7) & 1) plane.set(i, j);
  });
  return plane.take();
}

}  // namespace

GroupedPlanes::GroupedPlanes(const Layout& l)
    : bitmap_(l.column_group_bitmap),
      splits_(l.splits),
      sign_("sign", l.rows, l.columns),
      plane2_("plane2", l.rows, l.columns),
      salient_("salient", 1, l.columns),
      group2_("group2", l.rows, l.splits > 1 ? l.columns : 0),
      second_sign_("plane3", l.rows, l.column_group_bitmap ? l.columns : 0) {}

void GroupedPlanes::enter(const BlockLoop& loop, const BlockMasks& masks) {
  for (size_t j = 0; j < masks.salient; ++j) {
    const size_t column = loop.start() + masks.order[j];
    salient_.set(0, column);
    salient_columns_.push_back(uint32_t(column));
  }
}

void GroupedPlanes::write(const TilePlace& place, const TileMasks& masks, const TileSigns& signs) {
  const size_t width = masks.columns, k = masks.salient;
  TilePlane first(place, width), second(place, width), plane2(place, width), group2(place, width);
  first.signs(signs.salient_first, 0, k);
  first.signs(signs.others, k, width);
  first.write(sign_);
  put_groups(place, masks, k, width, masks.splits, plane2, group2);
  if (bitmap_) {
    put_groups(place, masks, 0, k, masks.salient_splits, plane2, group2);
    second.signs(signs.salient_second, 0, k);
    second.write(second_sign_);
  } else {
    plane2.signs(signs.salient_second, 0, k);
  }
  plane2.write(plane2_);
  if (splits_ > 1) group2.write(group2_);
}

std::vector<PackedTensor> GroupedPlanes::take(ThreadPool& pool) {
  PackedTensor flags = salient_.take();
  flags.shape = {flags.shape[1]};
  std::vector<PackedTensor> tensors = {sign_.take(), plane2_.take(), std::move(flags)};
  if (splits_ > 1) tensors.push_back(group2_.take());
  if (bitmap_) tensors.push_back(plane_of_columns(second_sign_.take(), salient_columns_, pool));
  return tensors;
}

void put_error(const BlockLoop& loop, const BlockMasks& masks, size_t t, const float* value, View error) {
  const size_t width = masks.weight.width();
  std::vector<float> r_diagonal(width);
  for (size_t j = 0; j < width; ++j) r_diagonal[j] = loop.r_block()(masks.order[j], masks.order[j]);
  auto scaled = aligned_array<float>(width * kTileRows);
  scaled_difference(masks.weight.tile(t), value, r_diagonal.data(), width, scaled.get());
  for (size_t lane = 0; lane < masks.weight.rows_of(t); ++lane) {
    float* row = error.row(t * kTileRows + lane);
    for (size_t j = 0; j < width; ++j) row[masks.order[j]] = scaled[j * kTileRows + lane];
  }
}

}  // namespace signum
