// The grid options of rtn and gptq against GPTQ's published quantizer and loop, written down plainly; and
// what FORMAT.md promises of symmetric grids.
#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/pool.h"
#include "methods/grid_kernels.h"
#include "methods/quantize.h"
#include "methods/stored.h"
#include "tests/random_problem.h"

using namespace signum;

namespace {

Recipe recipe_of(Method method, int bits, long group, bool symmetric, bool clip_search) {
  Recipe recipe;
  recipe.method = method;
  recipe.scale_type = DType::F32;
  recipe.bits = bits;
  recipe.group = group;
  recipe.symmetric = symmetric;
  recipe.clip_search = clip_search;
  return recipe;
}

std::string name_of(const Recipe& r) {
  return std::string(method_id(r.method)) + " " + std::to_string(r.bits) + " group " +
         std::to_string(r.group) + (r.symmetric ? " symmetric" : "") + (r.clip_search ? " clip" : "") +
         (r.descending_order ? " ordered" : "");
}

// Every combination of the options.
std::vector<Recipe> recipes(Method method, DType scale_type = DType::F32) {
  std::vector<Recipe> out;
  for (const int bits : {1, 2, 3, 4, 8})
    for (const long group : {-1L, 32L, 50L})
      for (const bool symmetric : {false, true})
        for (const bool clip_search : {false, true})
          for (const bool ordered : {false, true}) {
            if (bits == 1 && (symmetric || method == Method::Gptq)) continue;
            if (ordered && method == Method::Rtn) continue;
            out.push_back(recipe_of(method, bits, group, symmetric, clip_search));
            out.back().descending_order = ordered;
            out.back().scale_type = scale_type;
          }
  return out;
}

// Normal rows, and among them one without negative weights, one without positive ones, a constant one, one of
// zeros and one with a single large weight.
Problem problem(size_t rows, size_t columns, uint64_t seed) {
  Problem p = random_problem(rows, columns, seed);
  for (size_t j = 0; j < columns; ++j) {
    p.weight(0, j) = std::fabs(p.weight(0, j));
    p.weight(1, j) = -std::fabs(p.weight(1, j));
    p.weight(2, j) = 0.25f;
    p.weight(3, j) = 0;
  }
  p.weight(4, columns / 2) = 1;
  return p;
}

PackedLinear packed(const Recipe& recipe, const Problem& p, size_t threads = 2) {
  ThreadPool pool(threads);
  const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
  return quantize(recipe, p.weight.clone(), &factor, pool).value();
}

Matrix decoded(const PackedLinear& linear) {
  ThreadPool pool(1);
  return decode(linear, pool).value();
}

bool same(const PackedLinear& a, const PackedLinear& b) {
  bool same = a.tensors.size() == b.tensors.size();
  for (size_t i = 0; same && i < a.tensors.size(); ++i) same = a.tensors[i].bytes == b.tensors[i].bytes;
  return same;
}

// The published quantizer for one row of one group: configure() and find_params().
struct Quantizer {
  float scale, zero, maxq;

  float operator()(float x) const {
    const float q = std::fmin(std::fmax(std::nearbyint(x / scale) + zero, 0.0f), maxq);
    return scale * (q - zero);
  }
  double error(const std::vector<float>& x) const {
    double sum = 0;
    for (const float one : x) sum += std::pow(std::fabs(double((*this)(one)) - double(one)), 2.4);
    return sum;
  }
};

// All candidates of the search, the unshrunk range first; one without the search.
std::vector<Quantizer> candidates(const std::vector<float>& x, const Recipe& recipe) {
  const float maxq = std::exp2(float(recipe.bits)) - 1;
  float xmin = 0, xmax = 0;
  for (const float one : x) {
    xmin = std::min(xmin, one);
    xmax = std::max(xmax, one);
  }
  if (recipe.symmetric) {
    xmax = std::max(std::fabs(xmin), xmax);
    if (xmin < 0) xmin = -xmax;
  }
  if (xmin == 0 && xmax == 0) {
    xmin = -1;
    xmax = 1;
  }
  std::vector<Quantizer> out;
  for (int i = 0; i < (recipe.clip_search ? int(0.8 * 100) : 1); ++i) {
    const float p = float(1 - i / 100.0), scale = (p * xmax - p * xmin) / maxq;
    out.push_back({scale, recipe.symmetric ? (maxq + 1) / 2 : std::nearbyint(-(p * xmin) / scale), maxq});
  }
  return out;
}

Quantizer find_params(const std::vector<float>& x, const Recipe& recipe) {
  Quantizer best = {};
  double least = INFINITY;
  for (const Quantizer& one : candidates(x, recipe))
    if (const double error = one.error(x); error < least) {
      least = error;
      best = one;
    }
  return best;
}

std::vector<float> slice(const Matrix& m, size_t row, size_t begin, size_t end) {
  return {m.row(row) + begin, m.row(row) + end};
}

// U with U^T U = (damped H in the given order)^-1, by plain elimination.
std::vector<std::vector<double>> published_factor(const Matrix& h, double damping,
                                                  const std::vector<uint32_t>& order) {
  const size_t n = h.rows();
  double mean = 0;
  for (size_t j = 0; j < n; ++j) mean += double(h(j, j)) / double(n);
  std::vector<std::vector<double>> a(n, std::vector<double>(2 * n)), u(n, std::vector<double>(n));
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) a[i][j] = double(h(order[i], order[j])) + (i == j ? damping * mean : 0);
    a[i][n + i] = 1;
  }
  for (size_t k = 0; k < n; ++k) {  // positive definite: no pivoting
    const double pivot = a[k][k];
    for (double& x : a[k]) x /= pivot;
    for (size_t i = 0; i < n; ++i) {
      const double factor = a[i][k];
      if (i == k) continue;
      for (size_t j = 0; j < 2 * n; ++j) a[i][j] -= factor * a[k][j];
    }
  }
  for (size_t i = 0; i < n; ++i)  // Cholesky of the inverse
    for (size_t j = i; j < n; ++j) {
      double sum = a[i][n + j];
      for (size_t k = 0; k < i; ++k) sum -= u[k][i] * u[k][j];
      u[i][j] = j == i ? std::sqrt(sum) : sum / u[i][i];
    }
  return u;
}

// The published loop, column by column over the whole row; grids of groups from the weights as updated.
Matrix published_gptq(const Recipe& recipe, const Problem& p) {
  const size_t m = p.weight.rows(), n = p.weight.columns();
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  if (recipe.descending_order)
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return p.hessian(a, a) > p.hessian(b, b); });
  const auto u = published_factor(p.hessian, recipe.damping, order);
  Matrix out(m, n);
  for (size_t r = 0; r < m; ++r) {
    std::vector<double> w(n);
    for (size_t j = 0; j < n; ++j) w[j] = double(p.weight(r, order[j]));
    const size_t group = recipe.group < 0 ? n : size_t(recipe.group);
    Quantizer quantizer = find_params(slice(p.weight, r, 0, n), recipe);
    for (size_t j = 0; j < n; ++j) {
      if (recipe.group > 0 && j % group == 0)
        quantizer = find_params({w.begin() + long(j), w.begin() + long(std::min(n, j + group))}, recipe);
      const double q = double(quantizer(float(w[j])));
      out(r, order[j]) = float(q);
      for (size_t l = j + 1; l < n; ++l) w[l] -= (w[j] - q) / u[j][j] * u[j][l];
    }
  }
  return out;
}

}  // namespace

TEST_CASE("rtn: every group has the published quantizer's grid, or one as good to rounding") {
  const Problem p = problem(50, 150, 1);
  size_t groups_seen = 0, equal = 0;
  for (const Recipe& recipe : recipes(Method::Rtn)) {
    CAPTURE(name_of(recipe));
    const Matrix values = decoded(packed(recipe, p));
    const size_t group = recipe.group < 0 ? 150 : size_t(recipe.group);
    for (size_t r = 0; r < 50; ++r)
      for (size_t begin = 0; begin < 150; begin += group) {
        CAPTURE(r);
        CAPTURE(begin);
        const auto x = slice(p.weight, r, begin, std::min<size_t>(150, begin + group)),
                   ours = slice(values, r, begin, std::min<size_t>(150, begin + group));
        const Quantizer best = find_params(x, recipe);
        const auto gives_ours = [&](const Quantizer& one) {
          for (size_t j = 0; j < x.size(); ++j)
            if (one(x[j]) != ours[j]) return false;
          return true;
        };
        ++groups_seen;
        if (gives_ours(best)) {
          ++equal;
          continue;
        }
        bool as_good = false;
        for (const Quantizer& one : candidates(x, recipe))
          as_good = as_good || (gives_ours(one) && one.error(x) <= best.error(x) * (1 + 1e-6));
        CHECK(as_good);
      }
  }
  MESSAGE("groups with the published grid: " << equal << " of " << groups_seen);
  CHECK(equal * 1000 >= groups_seen * 999);
}

TEST_CASE("gptq equals the published loop but for rounding ties, with every option") {
  ThreadPool pool(2);
  const Problem p = problem(64, 150, 2);
  for (const Recipe& recipe : recipes(Method::Gptq)) {
    CAPTURE(name_of(recipe));
    const Matrix ours = decoded(packed(recipe, p)), published = published_gptq(recipe, p);
    size_t outside = 0;
    for (size_t r = 0; r < 64; ++r) {
      float worst = 0;
      for (size_t j = 0; j < 150; ++j) worst = std::max(worst, std::fabs(ours(r, j) - published(r, j)));
      outside += worst > 2e-5f;  // the largest weight is 1
    }
    CHECK(outside <= 2);
    const double a = linear_errors(p.weight, ours, &p.hessian, pool).output,
                 b = linear_errors(p.weight, published, &p.hessian, pool).output;
    CHECK(std::fabs(a / b - 1) <= 1e-3);
  }
}

TEST_CASE("the search's error is the sum of |x|^2.4, from the smallest numbers of F32 to the largest") {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<float> mantissa(1, 2);
  const size_t width = 300;
  Tiles tile(kTileRows, width);
  TileGrids grids;  // every value is 0
  std::fill_n(grids.step, kTileRows, 1.0f);
  std::fill_n(grids.zero, kTileRows, 0.0f);
  for (int exponent = -48; exponent <= 48; ++exponent)
    for (const size_t used : {size_t(1), width}) {
      double expected[kTileRows] = {};
      for (size_t j = 0; j < width; ++j)
        for (size_t lane = 0; lane < kTileRows; ++lane) {
          const float x =
              j < used ? std::ldexp(lane % 2 ? mantissa(random) : -mantissa(random), exponent) : 0;
          tile.tile(0)[j * kTileRows + lane] = x;
          expected[lane] += std::pow(std::fabs(double(x)), 2.4);
        }
      alignas(64) float error[kTileRows], cut_short[kTileRows], least[kTileRows];
      std::fill_n(least, kTileRows, std::numeric_limits<float>::infinity());
      grid_error(tile.tile(0), width, grids, 0, least, error);
      for (const float share : {0.5f, 1.5f}) {  // least is passed by every row, or by none
        for (size_t lane = 0; lane < kTileRows; ++lane) least[lane] = share * error[lane];
        grid_error(tile.tile(0), width, grids, 0, least, cut_short);
        for (size_t lane = 0; lane < kTileRows; ++lane)
          CHECK((share > 1 ? cut_short[lane] == error[lane] : cut_short[lane] >= least[lane]));
      }
      for (size_t lane = 0; lane < kTileRows; ++lane) {
        CAPTURE(exponent);
        CHECK(double(error[lane]) == doctest::Approx(expected[lane]).epsilon(used == 1 ? 1e-6 : 1e-5));
      }
    }
}

TEST_CASE("clip search: never a larger error than without, and a smaller one where a weight is far out") {
  const Problem p = problem(40, 128, 4);
  for (const DType type : {DType::F16, DType::BF16, DType::F32})
    for (const int bits : {1, 2, 4})
      for (const bool symmetric : {false, true}) {
        if (bits == 1 && symmetric) continue;
        const auto error = [&](bool clip_search, size_t row) {
          Recipe recipe = recipe_of(Method::Rtn, bits, -1, symmetric, clip_search);
          recipe.scale_type = type;
          const Matrix values = decoded(packed(recipe, p));
          double sum = 0;
          for (size_t j = 0; j < 128; ++j)
            sum += std::pow(std::fabs(double(values(row, j)) - double(p.weight(row, j))), 2.4);
          return sum;
        };
        for (size_t row = 0; row < 40; row += 3) CHECK(error(true, row) <= error(false, row) * (1 + 1e-6));
        CHECK(error(true, 7) < error(false, 7));
        if (bits == 2) CHECK(error(true, 4) <= error(false, 4));
      }
}

TEST_CASE("a symmetric grid stores no zeros: every value is step times a whole number from -2^(bits-1)") {
  const Problem p = problem(20, 130, 5);
  for (const Method method : {Method::Rtn, Method::Gptq})
    for (Recipe recipe : recipes(method, DType::F16)) {
      if (!recipe.symmetric) continue;
      CAPTURE(name_of(recipe));
      const PackedLinear linear = packed(recipe, p);
      recipe.symmetric = false;
      const PackedLinear with_zeros = packed(recipe, p);
      REQUIRE(!linear.find("code_zero"));
      const size_t groups = with_zeros.find("code_zero")->bytes.size() / 20;
      CHECK(linear.bytes() + 20 * groups == with_zeros.bytes());
      CHECK(layout_to_json(linear.layout).find(R"("symmetric":true)") != std::string::npos);
      CHECK(layout_to_json(with_zeros.layout).find("symmetric") == std::string::npos);

      const Matrix values = decoded(linear);
      const PackedTensor& scale = *linear.find("code_scale");
      for (size_t i = 0; i < 20; ++i)
        for (size_t stored = 0; stored < 130; ++stored) {
          uint16_t bits;
          std::memcpy(&bits, scale.bytes.data() + 2 * (i * groups + stored / linear.layout.group), 2);
          const float step = half_to_float(bits);
          const size_t j = linear.order ? (*linear.order)[stored] : stored;
          const float code = values(i, j) / step, half = std::exp2(float(recipe.bits - 1));
          CHECK(code == std::nearbyint(code));
          CHECK((code >= -half && code <= half - 1));
        }
      // The same weights from a file with all its zeros.
      PackedLinear spelled = linear;
      spelled.layout.symmetric = false;
      spelled.tensors.push_back({"code_zero",
                                 DType::U8,
                                 {20, groups},
                                 std::vector<uint8_t>(20 * groups, uint8_t(1 << (recipe.bits - 1)))});
      const Matrix spelled_values = decoded(spelled);
      CHECK(std::memcmp(values.data(), spelled_values.data(), values.size() * sizeof(float)) == 0);
    }
}

TEST_CASE("grid options: the same bytes for rows in another order, any thread count and every SIMD target") {
  const Problem p = problem(50, 200, 7);
  Problem q{Matrix(50, 200), p.hessian.clone()};
  for (size_t i = 0; i < 50; ++i) std::copy_n(p.weight.row((i * 7) % 50), 200, q.weight.row(i));
  for (const Method method : {Method::Rtn, Method::Gptq})
    for (const DType type : {DType::F16, DType::F32})
      for (const Recipe& recipe : recipes(method, type)) {
        CAPTURE(name_of(recipe));
        const PackedLinear linear = packed(recipe, p, 1);
        const Matrix a = decoded(linear), b = decoded(packed(recipe, q));
        for (size_t i = 0; i < 50; ++i)
          CHECK(std::memcmp(a.row((i * 7) % 50), b.row(i), 200 * sizeof(float)) == 0);
        CHECK(same(packed(recipe, p, 5), linear));
        if (method == Method::Gptq) continue;  // its propagation is fused where the target can
        for (int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left; left &= left - 1) {
          hwy::SetSupportedTargetsForTest(left & -left);
          hwy::GetChosenTarget().Update(hwy::SupportedTargets());
          CAPTURE(hwy::TargetName(left & -left));
          CHECK(same(packed(recipe, p), linear));
          hwy::SetSupportedTargetsForTest(0);
        }
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
      }
}

TEST_CASE("gptq: rows in another order give the same rows, whatever the products' shapes") {
  // Rows beyond whole tiles, last blocks of one to eight columns: where the BLAS takes other kernels.
  const std::pair<size_t, size_t> shapes[] = {{515, 200}, {190, 257}, {190, 258}, {190, 259},
                                              {190, 262}, {130, 261}, {190, 264}, {61, 65}};
  for (const auto& [rows, columns] : shapes) {
    CAPTURE(rows);
    CAPTURE(columns);
    const Problem p = random_problem(rows, columns, rows + columns);
    Problem q{Matrix(rows, columns), p.hessian.clone()};
    for (size_t i = 0; i < rows; ++i) std::copy_n(p.weight.row(i * 7 % rows), columns, q.weight.row(i));
    for (const long group : {-1L, 64L}) {
      const Recipe recipe = recipe_of(Method::Gptq, 3, group, false, false);
      const Matrix a = decoded(packed(recipe, p)), b = decoded(packed(recipe, q));
      size_t different = 0;
      for (size_t i = 0; i < rows; ++i)
        different += std::memcmp(a.row(i * 7 % rows), b.row(i), columns * sizeof(float)) != 0;
      CHECK(different == 0);
    }
  }
}

TEST_CASE("grid options out of range are refused") {
  const auto recipe = [](const std::string& options) {
    const auto result =
        recipe_from_json(R"({"method":"rtn","parameters":{"scale_type":"f16","group":-1,)" + options + "}}");
    return result.ok() ? std::string("ok") : result.error().message;
  };
  CHECK(recipe(R"("bits":2,"symmetric":true,"clip_search":true)") == "ok");
  CHECK(recipe(R"("bits":1,"symmetric":false,"clip_search":true)") == "ok");
  CHECK(recipe(R"("bits":1,"symmetric":true,"clip_search":false)") ==
        "A symmetric grid needs at least 2 bits: with 1 every weight becomes 0.");
  CHECK(recipe(R"("bits":2,"clip_search":true)") ==
        "The parameter 'symmetric' must be there and be true or false.");
  const auto layout = [](const std::string& symmetric) {
    const auto result = layout_from_json(
        "P",
        R"({"method":"rtn","rows":3,"columns":70,"scale_type":"f16","bits":2,"group":70)" + symmetric + "}");
    return result.ok() ? std::string("ok") : result.error().message;
  };
  for (const char* good : {"", R"(,"symmetric":true)", R"(,"symmetric":false)"}) CHECK(layout(good) == "ok");
  CHECK(layout(R"(,"symmetric":1)") == "The layout of P has a missing or impossible field 'symmetric'.");
}
