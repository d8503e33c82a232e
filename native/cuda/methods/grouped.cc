#include "cuda/methods/grouped.h"

#include <optional>

#include "cuda/methods/block_loop.h"
#include "cuda/methods/calibrated_split.h"
#include "cuda/methods/column_search.h"
#include "cuda/methods/grouped_planes.h"
#include "cuda/methods/rank_one.h"
#include "cuda/methods/split_kernels.h"
#include "cuda/methods/split_thresholds.h"

namespace signum::cuda {
namespace {

constexpr const char* kWhat = "a block's search";

Layout layout_of(const Recipe& recipe, const DeviceMatrix& weight) {
  Layout l;
  l.method = recipe.method;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.blocksize = recipe.blocksize;
  if (may_split_salient(recipe.method)) {
    l.column_group_bitmap = recipe.column_group_bitmap;
    l.splits = recipe.splits;
  }
  return l;
}

class GroupedLinear {
 public:
  GroupedLinear(Card& card, const Recipe& recipe, DeviceMatrix weight, const DeviceFactor& factor)
      : card_(card),
        device_(card.device),
        recipe_(recipe),
        factor_(factor),
        layout_(layout_of(recipe, weight)),
        planes_(device_, layout_),
        loop_(card, std::move(weight), factor, layout_.blocksize),
        shape_{layout_.rows, unsigned(std::min(layout_.blocksize, layout_.columns))},
        slots_(2 * layout_.salient_groups() + layout_.groups()),
        thresholds_(device_),
        weight_(room<float>(shape_.size())),
        search_(room<float>(shape_.size())),
        first_(room<float>(shape_.size())),
        second_(room<float>(shape_.size())),
        group_(room<uint8_t>(shape_.size())),
        order_(room<uint32_t>(shape_.width)),
        choice_(room<BlockChoice>(1)),
        candidates_(room<float>(kThresholds)),
        partial_(room<double>(std::max(size_t(shape_.tiles()) * kMaxWidth,
                                       CalibratedSplits::bands(shape_.rows) * kErrorSlots))),
        scale_(room<float>(slots_ * shape_.tiles() * kLaneRows)),
        error_(device_, shape_.rows, shape_.width, "a block's errors") {
    if (recipe.method == Method::ArbX) {
      calibrated_.emplace(card, shape_);
      gram_ = room<float>(size_t(shape_.width) * shape_.width);
    }
    if (recipe.method == Method::ArbX || layout_.splits > 1) left_ = room<float>(shape_.size());
    if (recipe.method == Method::ArbRc) {
      column_scale_ = room<float>(slots_ * shape_.width);
      factors_ = room<float>(slots_);
      sums_ = room<float>(2 * size_t(shape_.tiles()) * kMaxGroups * shape_.width);
    } else {
      mean_ = room<float>((layout_.salient_groups() + layout_.groups()) * shape_.tiles() * kLaneRows);
    }
  }

  PackedLinear quantize() {
    for (size_t block = 0; block < loop_.blocks(); ++block) {
      loop_.enter(block);
      shape_.width = unsigned(loop_.width());
      search();
      const GroupFit fit = groups();
      fit_groups(fit);
      const DeviceView<float> error = error_.view().block(0, 0, shape_.rows, shape_.width);
      planes_.put({fit, order_.data(), loop_.r_block(), block, loop_.start(), column_scale_.data(),
                   factors_.data(), recipe_.method == Method::ArbRc ? weight_.data() : first_.data(), error});
      loop_.leave_with_error(error);
    }
    return planes_.take();
  }

 private:
  template <class T>
  Array<T> room(size_t size) {
    return Array<T>(device_, size, kWhat);
  }

  void search() {
    search_columns(
        device_, recipe_,
        {shape_, loop_.current(), loop_.r_block(), first_.data(), second_.data(), weight_.data(),
         search_.data(), partial_.data(), order_.data(), choice_.data(), planes_.salient() + loop_.start()});
    if (recipe_.method == Method::ArbX)
      order_gram(device_, factor_.blocks.view().block(loop_.start(), 0, shape_.width, shape_.width),
                 order_.data(), gram_.data());
    for (unsigned pass = 0; layout_.column_group_bitmap && pass < layout_.splits; ++pass) split_salient(pass);
    for (unsigned pass = 0; pass < layout_.splits; ++pass) split_others(pass);
  }

  SplitPass pass_of(Part part, unsigned passes) {
    thresholds_.find({shape_, search_.data(), choice_.data(), part, passes, part == Part::Others},
                     candidates_.data());
    return {shape_, search_.data(), candidates_.data(), choice_.data(), partial_.data(), passes};
  }

  void split_salient(unsigned passes) {
    const SplitPass pass = pass_of(Part::Salient, passes);
    salient_split_errors(device_, pass);
    choose_salient_split(device_, pass);
  }

  // methods/split_search.cc.
  void split_others(unsigned passes) {
    const SplitPass pass = pass_of(Part::Others, passes);
    const bool calibrated = recipe_.method == Method::ArbX, fitted = passes > 0 && !calibrated;
    if (calibrated || (fitted && recipe_.method == Method::Arb))
      arb_residual(device_, {shape_, choice_.data(), search_.data(), passes, recipe_.iterations, calibrated,
                             first_.data(), second_.data(), left_.data()});
    if (calibrated) {
      choose_split(device_, pass,
                   {calibrated_->errors({pass, gram_.data(), left_.data(), layout_.splits > 1}), false});
      return;
    }
    split_errors(device_, pass);
    if (fitted && recipe_.method == Method::ArbRc) fit_searched(passes);
    if (fitted) fitted_errors(device_, pass, left_.data());
    choose_split(device_, pass, {shape_.tiles(), fitted});
  }

  // What arb-rc's start leaves of T in the groups that passes before have made.
  void fit_searched(unsigned passes) {
    make_groups(device_, fit_of(passes), search_.data(), group_.data());
    const RankOne start = rank_one(Part::Others, passes + 1, search_.data());
    start_rank_one(device_, start);
    rank_one_residual(device_, start, left_.data());
  }

  GroupFit fit_of(unsigned splits) {
    return {shape_,        choice_.data(), unsigned(layout_.salient_groups() - 1),
            splits,        weight_.data(), group_.data(),
            first_.data(), second_.data(), mean_.data(),
            scale_.data()};
  }

  GroupFit groups() {
    const GroupFit fit = fit_of(unsigned(layout_.splits));
    make_groups(device_, fit, search_.data(), group_.data());
    return fit;
  }

  RankOne rank_one(Part part, unsigned groups, const float* x) {
    RankOne fit{shape_, choice_.data(), part, groups, x, group_.data(), {}, {}, {}, sums_.data()};
    const size_t salient = layout_.salient_groups();
    for (size_t order = 0; order < 2; ++order) {
      const size_t slot = part == Part::Salient ? order * salient : 2 * salient;
      fit.row_scale[order] = scale_.data() + slot * shape_.tiles() * kLaneRows;
      fit.column_scale[order] = column_scale_.data() + slot * shape_.width;
    }
    fit.sign[0] = first_.data();
    fit.sign[1] = second_.data();
    return fit;
  }

  void fit_groups(const GroupFit& fit) {
    if (recipe_.method == Method::BiLLM) return fit_billm(device_, fit);
    if (recipe_.method != Method::ArbRc) {
      fit_arb(device_, fit, recipe_.iterations);
      if (recipe_.method == Method::ArbX) fit_calibrated(device_, fit, gram_.data(), recipe_.iterations);
      return;
    }
    const unsigned salient = fit.salient_groups();
    const RankOne inner = rank_one(Part::Salient, salient, weight_.data());
    const RankOne outer = rank_one(Part::Others, fit.groups(), weight_.data());
    fit_rank_one(device_, inner, 2, recipe_.iterations);
    fit_rank_one(device_, outer, 1, recipe_.iterations);
    for (int order = 0; order < 2; ++order)
      normalize(device_, inner, order, factors_.data() + unsigned(order) * salient);
    normalize(device_, outer, 0, factors_.data() + 2 * salient);
  }

  Card& card_;
  Device& device_;
  const Recipe& recipe_;
  const DeviceFactor& factor_;
  Layout layout_;
  GroupedPlanes planes_;
  BlockLoop loop_;
  BlockShape shape_;
  size_t slots_;  // of scales
  SplitThresholds thresholds_;
  std::optional<CalibratedSplits> calibrated_;
  Array<float> weight_, search_, first_, second_, left_, gram_;
  Array<uint8_t> group_;
  Array<uint32_t> order_;
  Array<BlockChoice> choice_;
  Array<float> candidates_;
  Array<double> partial_;
  Array<float> scale_, mean_, column_scale_, factors_, sums_;
  DeviceMatrix error_;
};

}  // namespace

PackedLinear quantize_grouped(Card& card, const Recipe& recipe, DeviceMatrix weight,
                              const DeviceFactor& factor) {
  return GroupedLinear(card, recipe, std::move(weight), factor).quantize();
}

}  // namespace signum::cuda
