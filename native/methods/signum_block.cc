#include "methods/signum_block.h"

#include <cmath>
#include <cstring>

#include "base/pool.h"
#include "math/blas.h"
#include "methods/rank_one.h"

namespace signum {
namespace {

constexpr int kStartIterations = 15;
constexpr size_t kBandPanels = 8;  // panels whose sums one task adds up
constexpr double kColumnRidge = 1e-4;

class BlockFit {
 public:
  BlockFit(const Recipe& recipe, ConstView block, ConstView r_block, ConstView u_block, size_t second,
           ThreadPool& pool)
      : recipe_(recipe),
        r_(r_block),
        u_(u_block),
        pool_(pool),
        width_(block.columns),
        second_(second),
        panels_((block.rows + kPanelRows - 1) / kPanelRows),
        bands_((panels_ + kBandPanels - 1) / kBandPanels),
        panel_size_(width_ * kPanelRows),
        weight_(aligned_array<float>(panels_ * panel_size_)),
        y_(aligned_array<float>(panels_ * panel_size_)),
        y_back_(aligned_array<float>(panels_ * panel_size_)) {
    for (size_t j = 0; j < width_; ++j) r_diagonal_.push_back(r_(j, j));
    start(block);
    prepare(block);
  }

  SignumBlock run() {
    SignumBlock best;
    assign();
    best = now_;
    for (int i = 0; i < recipe_.refits; ++i) {
      refit();
      if (now_.cost < best.cost) best = now_;
      assign();
      if (now_.cost < best.cost) best = now_;
    }
    return best;
  }

 private:
  // Step 1: ARB-RC over the whole block as one group.
  void start(ConstView block) {
    Tiles tiles(block.rows, width_);
    pool_.parallel_for(tiles.count(), [&](size_t t) { tiles.load(t, block); });
    RankOneProblem problem{
        &tiles, nullptr, {}, 0, width_, second_ > 0 ? 2 : 1, kStartIterations, recipe_.column_scales,
        second_};
    const RankOneFit fit = fit_rank_one(problem, pool_);
    for (int o = 0; o < 2; ++o) {
      now_.row[o].assign(panels_ * kPanelRows, 0.0f);
      std::copy(fit.row_scale[o].begin(), fit.row_scale[o].end(), now_.row[o].begin());
      now_.column[o].assign(
          fit.column_scale[o].begin(),
          fit.column_scale[o].begin() + long(o < problem.order ? (o ? second_ : width_) : 0));
    }
    now_.codes.resize(panels_ * panel_size_);
  }

  // W^T, Y^T = (Wb U_b^-1)^T and (Y U_b^-T)^T as panels; ||Y||^2; M = U_b^-1 U_b^-T.
  void prepare(ConstView block) {
    std::vector<double> squares(panels_);
    pool_.parallel_for(panels_, [&](size_t p) {
      float *w = weight_.get() + p * panel_size_, *y = y_.get() + p * panel_size_,
            *back = y_back_.get() + p * panel_size_;
      for (size_t r = 0; r < kPanelRows; ++r) {
        const size_t row = p * kPanelRows + r;
        for (size_t j = 0; j < width_; ++j) w[j * kPanelRows + r] = row < block.rows ? block(row, j) : 0.0f;
      }
      times_r(w, y);
      blas::gemm(false, false, width_, kPanelRows, width_, 1.0f, r_.data, r_.stride, y, kPanelRows, 0.0f,
                 back, kPanelRows);
      for (size_t i = 0; i < panel_size_; ++i) squares[p] += double(y[i]) * y[i];
    });
    for (const double s : squares) y_square_ += s;
    metric_ = Matrix(width_, width_);
    blas::gemm(false, true, width_, width_, width_, 1.0f, r_.data, r_.stride, r_.data, r_.stride, 0.0f,
               metric_.data(), width_);
  }

  // out = R_b^T x, both [width][64]: rows times U_b^-1.
  void times_r(const float* x, float* out) const {
    blas::gemm(true, false, width_, kPanelRows, width_, 1.0f, r_.data, r_.stride, x, kPanelRows, 0.0f, out,
               kPanelRows);
  }

  PanelScales scales() const { return {width_, second_, now_.column[0].data(), now_.column[1].data()}; }

  // Step 2.
  void assign() {
    std::vector<double> costs(panels_);
    pool_.parallel_for(panels_, [&](size_t p) {
      auto work = aligned_array<float>(panel_size_);
      std::memcpy(work.get(), weight_.get() + p * panel_size_, panel_size_ * sizeof(float));
      costs[p] = assign_panel(work.get(), scales(), now_.row[0].data() + p * kPanelRows,
                              now_.row[1].data() + p * kPanelRows, u_, r_diagonal_.data(),
                              now_.codes.data() + p * panel_size_);
    });
    now_.cost = 0;
    for (const double c : costs) now_.cost += c;
  }

  // Step 3: row scales, then all nonzero column scales jointly; the signs stay.
  void refit() {
    const size_t unknowns = width_ + second_;
    std::vector<Matrix> grams(bands_);
    std::vector<std::vector<double>> sides(bands_, std::vector<double>(unknowns));
    pool_.parallel_for(bands_, [&](size_t band) {
      grams[band] = Matrix(unknowns, unknowns);
      auto signs = aligned_array<float>(unknowns * kPanelRows), v1 = aligned_array<float>(panel_size_);
      auto v2 = aligned_array<float>(panel_size_), padded = aligned_array<float>(panel_size_);
      for (size_t p = band * kBandPanels; p < std::min(panels_, (band + 1) * kBandPanels); ++p)
        refit_panel(p, signs.get(), v1.get(), v2.get(), padded.get(), grams[band], sides[band].data());
    });
    if (recipe_.column_scales)
      refit_columns(grams, sides);
    else
      now_.cost = cost_of(grams, sides);
  }

  void refit_panel(size_t p, float* signs, float* v1, float* v2, float* padded, Matrix& gram, double* side) {
    const uint8_t* codes = now_.codes.data() + p * panel_size_;
    float *r1 = now_.row[0].data() + p * kPanelRows, *r2 = now_.row[1].data() + p * kPanelRows;
    signed_panel(codes, 0, width_, false, now_.column[0].data(), signs);
    times_r(signs, v1);
    if (second_ > 0) {
      signed_panel(codes, 1, second_, false, now_.column[1].data(), padded);
      std::fill(padded + second_ * kPanelRows, padded + panel_size_, 0.0f);
      times_r(padded, v2);
    }
    refit_rows(y_.get() + p * panel_size_, v1, second_ > 0 ? v2 : nullptr, width_, r1, r2);
    signed_panel(codes, 0, width_, true, r1, signs);
    signed_panel(codes, 1, second_, true, r2, signs + panel_size_);
    const size_t unknowns = width_ + second_;
    blas::gram_lower(unknowns, kPanelRows, signs, kPanelRows, gram.data(), unknowns);
    const float* back = y_back_.get() + p * panel_size_;
    add_column_products(signs, back, width_, side);
    add_column_products(signs + panel_size_, back, second_, side + width_);
  }

  // The normal equations of the column scales, lower triangle: A = (R_k^T R_l) o M, and the right-hand side.
  void system(const std::vector<Matrix>& grams, const std::vector<std::vector<double>>& sides,
              std::vector<double>& a, std::vector<double>& b) const {
    const size_t unknowns = width_ + second_;
    a.assign(unknowns * unknowns, 0.0);
    b.assign(unknowns, 0.0);
    for (size_t band = 0; band < bands_; ++band) {
      for (size_t i = 0; i < unknowns; ++i) {
        b[i] += sides[band][i];
        for (size_t j = 0; j <= i; ++j) a[i * unknowns + j] += grams[band](i, j);
      }
    }
    for (size_t i = 0; i < unknowns; ++i)
      for (size_t j = 0; j <= i; ++j) a[i * unknowns + j] *= metric_(column_of(i), column_of(j));
  }
  size_t column_of(size_t unknown) const { return unknown < width_ ? unknown : unknown - width_; }
  float& scale_of(size_t unknown) {
    return unknown < width_ ? now_.column[0][unknown] : now_.column[1][unknown - width_];
  }

  // ||Y - sum of scaled parts||^2 for the present column scales.
  double quadratic_cost(const std::vector<double>& a, const std::vector<double>& b) {
    const size_t unknowns = width_ + second_;
    double cost = y_square_;
    for (size_t i = 0; i < unknowns; ++i) {
      const double c = scale_of(i);
      double row = a[i * unknowns + i] * c;
      for (size_t j = 0; j < i; ++j) row += 2 * a[i * unknowns + j] * scale_of(j);
      cost += c * (row - 2 * b[i]);
    }
    return cost;
  }
  double cost_of(const std::vector<Matrix>& grams, const std::vector<std::vector<double>>& sides) {
    std::vector<double> a, b;
    system(grams, sides, a, b);
    return quadratic_cost(a, b);
  }

  void refit_columns(const std::vector<Matrix>& grams, const std::vector<std::vector<double>>& sides) {
    const size_t unknowns = width_ + second_;
    std::vector<double> a, b;
    system(grams, sides, a, b);
    std::vector<size_t> live;
    double mean = 0;
    for (size_t i = 0; i < unknowns; ++i)
      if (scale_of(i) != 0) {
        live.push_back(i);
        mean += a[i * unknowns + i];
      }
    const size_t n = live.size();
    if (n > 0) {
      mean /= double(n);
      std::vector<double> small(n * n), x(n);
      for (size_t i = 0; i < n; ++i) {
        x[i] = b[live[i]];
        for (size_t j = 0; j <= i; ++j) small[i * n + j] = a[live[i] * unknowns + live[j]];
        small[i * n + i] += kColumnRidge * mean;
      }
      // A system that cannot be solved leaves the scales as they are.
      if (blas::solve_positive(n, small.data(), n, x.data()))
        for (size_t i = 0; i < n; ++i) scale_of(live[i]) = float(x[i]);
    }
    now_.cost = quadratic_cost(a, b);
  }

  const Recipe& recipe_;
  ConstView r_, u_;
  ThreadPool& pool_;
  size_t width_, second_, panels_, bands_, panel_size_;
  std::unique_ptr<float[], AlignedFree> weight_, y_, y_back_;
  std::vector<float> r_diagonal_;
  Matrix metric_;
  double y_square_ = 0;
  SignumBlock now_;
};

}  // namespace

SignumBlock fit_signum_block(const Recipe& recipe, ConstView block, ConstView r_block, ConstView u_block,
                             size_t second, ThreadPool& pool) {
  return BlockFit(recipe, block, r_block, u_block, second, pool).run();
}

}  // namespace signum
