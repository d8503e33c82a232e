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
  BlockFit(const Recipe& recipe, ConstView block, ConstView r_block, ConstView u_block,
           const PlaneColumns& columns, ThreadPool& pool)
      : recipe_(recipe),
        r_(r_block),
        u_(u_block),
        pool_(pool),
        width_(block.columns),
        columns_(columns),
        planes_(columns[1] == 0   ? 1
                : columns[2] == 0 ? 2
                                  : 3),
        unknowns_(columns[0] + columns[1] + columns[2]),
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
        &tiles,     nullptr, {}, 0, width_, planes_ > 1 ? 2 : 1, kStartIterations, recipe_.column_scales,
        columns_[1]};
    const RankOneFit fit = fit_rank_one(problem, pool_);
    for (size_t k = 0; k < kPlanes; ++k) now_.row[k].assign(panels_ * kPanelRows, 0.0f);
    for (size_t k = 0; k < std::min<size_t>(planes_, 2); ++k) take(fit, k, k);
    if (planes_ == 3) start_third(block, fit);
    now_.codes.resize(panels_ * panel_size_);
  }
  void take(const RankOneFit& fit, size_t order, size_t plane) {
    std::copy(fit.row_scale[order].begin(), fit.row_scale[order].end(), now_.row[plane].begin());
    now_.column[plane].assign(fit.column_scale[order].begin(),
                              fit.column_scale[order].begin() + long(columns_[plane]));
  }
  // The third plane starts from what the first two leave.
  void start_third(ConstView block, const RankOneFit& fit) {
    Matrix rest = Matrix::uninitialized(block.rows, columns_[2]);
    pool_.parallel_for(block.rows, [&](size_t i) {
      for (size_t j = 0; j < columns_[2]; ++j) {
        const size_t at = j * kTileRows + i % kTileRows;
        float left = block(i, j);
        for (size_t k = 0; k < 2; ++k)
          left -= fit.sign[k].tile(i / kTileRows)[at] * now_.row[k][i] * now_.column[k][j];
        rest(i, j) = left;
      }
    });
    Tiles tiles(block.rows, columns_[2]);
    pool_.parallel_for(tiles.count(), [&](size_t t) { tiles.load(t, rest.view()); });
    const RankOneProblem problem{
        &tiles, nullptr, {}, 0, columns_[2], 1, kStartIterations, recipe_.column_scales};
    take(fit_rank_one(problem, pool_), 0, 2);
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

  PanelScales scales() const {
    PanelScales all;
    for (size_t k = 0; k < kPlanes; ++k) {
      all.columns[k] = columns_[k];
      all.column[k] = now_.column[k].data();
      all.row[k] = now_.row[k].data();
    }
    return all;
  }

  // Step 2.
  void assign() {
    std::vector<double> costs(panels_);
    pool_.parallel_for(panels_, [&](size_t p) {
      auto work = aligned_array<float>(panel_size_);
      std::memcpy(work.get(), weight_.get() + p * panel_size_, panel_size_ * sizeof(float));
      costs[p] = assign_panel(work.get(), scales().panel(p), u_, r_diagonal_.data(),
                              now_.codes.data() + p * panel_size_);
    });
    now_.cost = 0;
    for (const double c : costs) now_.cost += c;
  }

  // Step 3: row scales, then all nonzero column scales jointly; the signs stay.
  void refit() {
    std::vector<Matrix> grams(bands_);
    std::vector<std::vector<double>> sides(bands_, std::vector<double>(unknowns_));
    pool_.parallel_for(bands_, [&](size_t band) {
      grams[band] = Matrix(unknowns_, unknowns_);
      PanelScratch scratch(unknowns_ * kPanelRows, planes_ * panel_size_);
      for (size_t p = band * kBandPanels; p < std::min(panels_, (band + 1) * kBandPanels); ++p)
        refit_panel(p, scratch, grams[band], sides[band].data());
    });
    if (recipe_.column_scales)
      refit_columns(grams, sides);
    else
      now_.cost = cost_of(grams, sides);
  }

  struct PanelScratch {
    std::unique_ptr<float[], AlignedFree> signs, parts;
    PanelScratch(size_t signs_size, size_t parts_size)
        : signs(aligned_array<float>(signs_size)), parts(aligned_array<float>(parts_size)) {}
  };

  void refit_panel(size_t p, PanelScratch& scratch, Matrix& gram, double* side) {
    const uint8_t* codes = now_.codes.data() + p * panel_size_;
    float* signs = scratch.signs.get();
    const float* parts[kPlanes] = {};
    float* rows[kPlanes] = {};
    for (size_t k = 0; k < planes_; ++k) {  // V_k
      float* part = scratch.parts.get() + k * panel_size_;
      signed_panel(codes, int(k), columns_[k], false, now_.column[k].data(), signs);
      std::fill(signs + columns_[k] * kPanelRows, signs + panel_size_, 0.0f);
      times_r(signs, part);
      parts[k] = part;
      rows[k] = now_.row[k].data() + p * kPanelRows;
    }
    refit_rows(y_.get() + p * panel_size_, parts, planes_, width_, rows);
    const float* back = y_back_.get() + p * panel_size_;
    size_t first = 0;
    for (size_t k = 0; k < planes_; first += columns_[k++]) {
      signed_panel(codes, int(k), columns_[k], true, rows[k], signs + first * kPanelRows);
      add_column_products(signs + first * kPanelRows, back, columns_[k], side + first);
    }
    blas::gram_lower(unknowns_, kPanelRows, signs, kPanelRows, gram.data(), unknowns_);
  }

  // The normal equations of the column scales, lower triangle: A = (R_k^T R_l) o M, and the right-hand side.
  void system(const std::vector<Matrix>& grams, const std::vector<std::vector<double>>& sides,
              std::vector<double>& a, std::vector<double>& b) const {
    a.assign(unknowns_ * unknowns_, 0.0);
    b.assign(unknowns_, 0.0);
    for (size_t band = 0; band < bands_; ++band) {
      for (size_t i = 0; i < unknowns_; ++i) {
        b[i] += sides[band][i];
        for (size_t j = 0; j <= i; ++j) a[i * unknowns_ + j] += grams[band](i, j);
      }
    }
    for (size_t i = 0; i < unknowns_; ++i)
      for (size_t j = 0; j <= i; ++j) a[i * unknowns_ + j] *= metric_(column_of(i), column_of(j));
  }
  size_t plane_of(size_t unknown) const {
    return unknown < columns_[0] ? 0 : unknown < columns_[0] + columns_[1] ? 1 : 2;
  }
  size_t column_of(size_t unknown) const {
    const size_t plane = plane_of(unknown);
    for (size_t k = 0; k < plane; ++k) unknown -= columns_[k];
    return unknown;
  }
  float& scale_of(size_t unknown) { return now_.column[plane_of(unknown)][column_of(unknown)]; }

  // ||Y - sum of scaled parts||^2 for the present column scales.
  double quadratic_cost(const std::vector<double>& a, const std::vector<double>& b) {
    double cost = y_square_;
    for (size_t i = 0; i < unknowns_; ++i) {
      const double c = scale_of(i);
      double row = a[i * unknowns_ + i] * c;
      for (size_t j = 0; j < i; ++j) row += 2 * a[i * unknowns_ + j] * scale_of(j);
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
    std::vector<double> a, b;
    system(grams, sides, a, b);
    std::vector<size_t> live;
    double mean = 0;
    for (size_t i = 0; i < unknowns_; ++i)
      if (scale_of(i) != 0) {
        live.push_back(i);
        mean += a[i * unknowns_ + i];
      }
    const size_t n = live.size();
    if (n > 0) {
      mean /= double(n);
      std::vector<double> small(n * n), x(n);
      for (size_t i = 0; i < n; ++i) {
        x[i] = b[live[i]];
        for (size_t j = 0; j <= i; ++j) small[i * n + j] = a[live[i] * unknowns_ + live[j]];
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
  size_t width_;
  PlaneColumns columns_;
  size_t planes_, unknowns_, panels_, bands_, panel_size_;
  std::unique_ptr<float[], AlignedFree> weight_, y_, y_back_;
  std::vector<float> r_diagonal_;
  Matrix metric_;
  double y_square_ = 0;
  SignumBlock now_;
};

}  // namespace

SignumBlock fit_signum_block(const Recipe& recipe, ConstView block, ConstView r_block, ConstView u_block,
                             const PlaneColumns& columns, ThreadPool& pool) {
  return BlockFit(recipe, block, r_block, u_block, columns, pool).run();
}

}  // namespace signum
