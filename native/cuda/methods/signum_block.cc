#include "cuda/methods/signum_block.h"

#include "cuda/math/gemm.h"
#include "cuda/methods/signum_store.h"

namespace signum::cuda {
namespace {

constexpr int kStartIterations = 15;

// c = a op(b). By our own kernels and in F32 whatever else is asked for: every sum is one chain over k, as on
// the CPU, whose signs it gives; a library's order would not, and costs as much time at this size.
void multiply(Device& device, DeviceView<const float> a, bool b_transposed, DeviceView<const float> b,
              DeviceView<float> c) {
  own::Product<float, float> product;
  product.b_transposed = b_transposed;
  product.m = c.rows;
  product.n = c.columns;
  product.k = a.columns;
  product.a = a.data;
  product.lda = a.stride;
  product.b = b.data;
  product.ldb = b.stride;
  product.c = c.data;
  product.ldc = c.stride;
  own::multiply(device, product);
}

}  // namespace

SignumBlock::SignumBlock(Card& card, const Recipe& recipe, size_t rows, size_t width, const PlaneCounts& most)
    : card_(card),
      recipe_(recipe),
      rows_(rows),
      width_(width),
      now_(iterate()),
      best_(iterate()),
      columns_(card, rows, most.unknowns()),
      y_(card.device, rows * width, "a block's outputs"),
      y_back_(card.device, rows * width, "a block's outputs"),
      metric_(card.device, width * width, "a block's metric"),
      parts_(card.device, most.planes() * rows * width, "a block's planes"),
      signed_(card.device, most.planes() * rows * width, "a block's planes"),
      room_(card.device, rank_one_room(rows), "sums of columns"),
      start_signs_(card.device, rows * width, "signs"),
      row_parts_(card.device, rows, "costs of rows"),
      costs_(card.device, size_t(1 + 2 * recipe.refits), "costs"),
      y_square_(card.device, 1, "costs") {}

SignumBlock::Iterate SignumBlock::iterate() const {
  return {Array<float>(card_.device, kPlanes * rows_, "row scales"),
          Array<float>(card_.device, kPlanes * kMostWidth, "column scales"),
          Array<uint8_t>(card_.device, rows_ * width_, "signs")};
}

// ARB-RC over the whole block as one group; the third plane starts from what the first two leave.
void SignumBlock::start(DeviceView<const float> block, const PlaneCounts& counts) {
  const SignumScales now = scales_of(now_);
  const RankOneRows problem{block,
                            counts.of[1],
                            recipe_.column_scales,
                            {now.row_of(0), now.row_of(1)},
                            {now.column_of(0), now.column_of(1)},
                            start_signs_.data(),
                            room_.data()};
  fit_rank_one(card_.device, problem, kStartIterations);
  if (counts.planes() < 3) return;
  const DeviceView<float> rest{part(0), rows_, counts.of[2], counts.of[2]};
  rank_one_rest(card_.device, problem, rest);
  const RankOneRows third{
      rest,    0,           recipe_.column_scales, {now.row_of(2), nullptr}, {now.column_of(2), nullptr},
      nullptr, room_.data()};
  fit_rank_one(card_.device, third, kStartIterations);
}

// Y = Wb U_b^-1, Y U_b^-T, ||Y||^2, M = U_b^-1 U_b^-T.
void SignumBlock::prepare(DeviceView<const float> block, DeviceView<const float> r) {
  const size_t n = block.columns;
  const DeviceView<float> y = view_of(y_, rows_, n);
  multiply(card_.device, block, false, r, y);
  multiply(card_.device, y, true, r, view_of(y_back_, rows_, n));
  multiply(card_.device, r, true, r, view_of(metric_, n, n));
  row_squares(card_.device, y_.data(), rows_, n, row_parts_.data());
  sum_parts(card_.device, row_parts_.data(), rows_, nullptr, y_square_.data());
}

// Row scales, then all nonzero column scales jointly; the signs stay.
void SignumBlock::refit(DeviceView<const float> r, const PlaneCounts& counts) {
  const size_t n = r.columns;
  const SignumScales now = scales_of(now_);
  float* const signs[kPlanes] = {signed_.data(), signed_.data() + rows_ * width_,
                                 signed_.data() + 2 * rows_ * width_};
  const float* const v[kPlanes] = {part(0), part(1), part(2)};
  signed_columns(card_.device, now, counts, now_.codes.data(), n, signs);
  for (size_t k = 0; k < counts.planes(); ++k)
    multiply(card_.device, {signs[k], rows_, counts.of[k], n}, false, r, {part(k), rows_, n, n});
  refit_rows(card_.device, counts, rows_, n, y_.data(), v, now);
  columns_.system(now, counts, now_.codes.data(), n, y_back_.data(), metric_.data());
  if (recipe_.column_scales) columns_.solve(now, counts);
}

void SignumBlock::fit(DeviceView<const float> block, DeviceView<const float> r, DeviceView<const float> u,
                      const PlaneCounts& counts) {
  const size_t n = block.columns;
  const SignumScales now = scales_of(now_), best = scales_of(best_);
  int index = 0;
  const auto keep = [&] {
    keep_better(card_.device, costs_.data(), index++, counts, n, now, now_.codes.data(), best,
                best_.codes.data());
  };
  const auto assign = [&] {
    signum_assign(card_.device, now, counts, {block, u, r, now_.codes.data(), n}, row_parts_.data());
    sum_parts(card_.device, row_parts_.data(), rows_, nullptr, costs_.data() + index);
    keep();
  };
  start(block, counts);
  prepare(block, r);
  assign();
  for (int i = 0; i < recipe_.refits; ++i) {
    refit(r, counts);
    columns_.cost(now, counts, y_square_.data(), costs_.data() + index);
    keep();
    assign();
  }
}

}  // namespace signum::cuda
