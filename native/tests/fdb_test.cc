// What fdb promises: a fit that only gets better, the nearest of four levels, the same bytes everywhere.
#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/pool.h"
#include "methods/fdb_fit.h"
#include "methods/stored.h"
#include "tests/random_problem.h"

using namespace signum;

namespace {

Recipe recipe_of(StepRule rule, DType scale_type = DType::F32, long group = 32) {
  Recipe recipe;
  recipe.method = Method::Fdb;
  recipe.step_rule = rule;
  recipe.scale_type = scale_type;
  recipe.group = group;
  return recipe;
}

Matrix matrix_of(const std::vector<std::vector<float>>& rows) {
  Matrix out(rows.size(), rows[0].size());
  for (size_t i = 0; i < rows.size(); ++i) std::copy(rows[i].begin(), rows[i].end(), out.row(i));
  return out;
}

// Rows of several kinds: normal, heavy-tailed, of one sign, of few values, narrow, zero.
Matrix random_weights(size_t rows, size_t columns, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Matrix out(rows, columns);
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) {
      const float x = normal(random);
      const float kinds[] = {x,    x * x * x,          std::fabs(x), std::nearbyint(x),
                             0.0f, x > 1 ? x : 0.001f, -x * x,       0.3f + 0.01f * x};
      out(i, j) = 0.05f * kinds[i % 8];
    }
  return out;
}

PackedLinear packed(const Recipe& recipe, const Matrix& weight, size_t threads = 2) {
  ThreadPool pool(threads);
  return quantize(recipe, weight.clone(), nullptr, pool).value();
}

PackedLinear packed(const Recipe& recipe, const Problem& p, size_t threads = 2) {
  ThreadPool pool(threads);
  const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
  return quantize(recipe, p.weight.clone(), &factor, pool).value();
}

// A group whose columns all count alike.
FdbGroup plain_group(const Tiles& tile) {
  static const std::vector<float> ones(256, 1.0f);
  return {tile.tile(0), ones.data(), tile.width()};
}

Matrix decoded(const PackedLinear& linear) {
  ThreadPool pool(1);
  return decode(linear, pool).value();
}

std::vector<float> scales_of(const PackedLinear& linear) {
  const PackedTensor& tensor = *linear.find("scale");
  std::vector<float> out(tensor.bytes.size() / 4);
  std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
  return out;
}

}  // namespace

TEST_CASE("fdb by hand") {
  // Row 0 starts from {-1.5, 0, 1.5, 3}: 1 is nearest to 1.5 (both planes), 3 to 3 (the first). Least squares
  // makes a1 = 3, a1 + a2 = 1. Row 1 is its mirror image, so its step is negative. Row 2 is {-s, 0, s, 2s}.
  const Matrix weight = matrix_of({{0, 1, 3, 0}, {0, -1, -3, 0}, {-0.5f, 0, 0.5f, 1}, {0, 0, 0, 0}});
  for (const StepRule rule : {StepRule::Max, StepRule::Search}) {
    const PackedLinear linear = packed(recipe_of(rule), weight);
    const Matrix values = decoded(linear);
    for (size_t i = 0; i < weight.size(); ++i) CHECK(values.data()[i] == weight.data()[i]);
    CHECK(linear.layout.group == 4);
    CHECK(!linear.order);
    CHECK(linear.nominal_bits() == 2);
  }
  const PackedLinear linear = packed(recipe_of(StepRule::Max), weight);
  CHECK(linear.find("sign")->bytes == std::vector<uint8_t>{0b0110, 0b0110, 0b1100, 0});
  CHECK(linear.find("plane2")->bytes == std::vector<uint8_t>{0b0010, 0b0010, 0b0101, 0});
  CHECK(scales_of(linear) == std::vector<float>{3, -3, 1, 0, -2, 2, -0.5f, 0});
  for (const float zero : {scales_of(linear)[3], scales_of(linear)[7]}) CHECK(!std::signbit(zero));
}

TEST_CASE("fdb: the error never rises from one round to the next, in any storage type") {
  for (const DType type : {DType::F16, DType::BF16, DType::F32})
    for (const StepRule rule : {StepRule::Max, StepRule::Search})
      for (const size_t width : {1u, 2u, 21u, 32u, 64u, 128u}) {
        const Matrix weight = random_weights(kTileRows, width, width);
        Tiles tile(kTileRows, width);
        tile.load(0, weight.view());
        double first = 0, last = 0;
        alignas(64) float before[kTileRows] = {}, error[kTileRows];
        for (int rounds = 0; rounds <= kFdbRounds; ++rounds) {
          const FdbScales scales = fdb_fit(plain_group(tile), rule, type, rounds);
          fdb_error(plain_group(tile), scales, error);
          for (size_t lane = 0; lane < kTileRows; ++lane) {
            CHECK(stored_value(type, scales.first[lane]) == scales.first[lane]);
            CHECK(stored_value(type, scales.second[lane]) == scales.second[lane]);
            if (rounds > 0) CHECK(error[lane] <= before[lane]);
            before[lane] = error[lane];
            (rounds == 0 ? first : last) += rounds == 0 || rounds == kFdbRounds ? error[lane] : 0;
          }
        }
        CHECK(last <= first);
        const FdbScales end = fdb_fit(plain_group(tile), rule, type, kFdbRounds);
        const FdbScales later = fdb_fit(plain_group(tile), rule, type, 10 * kFdbRounds);
        for (size_t lane = 0; lane < kTileRows; ++lane) {
          CHECK(end.first[lane] == later.first[lane]);
          CHECK(end.second[lane] == later.second[lane]);
        }
        if (width >= 21) CHECK(last < 0.99 * first);
      }
}

TEST_CASE("fdb: the search starts no worse than the rule max, and has what max has") {
  const size_t width = 64;
  const Matrix weight = random_weights(kTileRows, width, 5);
  Tiles tile(kTileRows, width);
  tile.load(0, weight.view());
  alignas(64) float max[kTileRows], search[kTileRows];
  fdb_error(plain_group(tile), fdb_fit(plain_group(tile), StepRule::Max, DType::F16, 0), max);
  fdb_error(plain_group(tile), fdb_fit(plain_group(tile), StepRule::Search, DType::F16, 0), search);
  size_t less = 0;
  for (size_t lane = 0; lane < kTileRows; ++lane) {
    CHECK(search[lane] <= max[lane]);
    less += search[lane] < max[lane];
  }
  CHECK(less > kTileRows / 2);
}

TEST_CASE("fdb: every weight has the nearest of its group's four levels") {
  const Matrix weight = random_weights(37, 150, 6);
  for (const long group : {32, 64, 100, 128}) {
    const PackedLinear linear = packed(recipe_of(StepRule::Search, DType::F32, group), weight);
    const std::vector<float> scale = scales_of(linear);
    const Matrix values = decoded(linear);
    const size_t groups = (150 + size_t(group) - 1) / size_t(group);
    REQUIRE(scale.size() == 2 * 37 * groups);
    for (size_t i = 0; i < 37; ++i)
      for (size_t j = 0; j < 150; ++j) {
        const size_t at = i * groups + j / size_t(group);
        const float a1 = scale[at], a2 = scale[37 * groups + at];
        float nearest = INFINITY;
        for (const float level : {0.0f, a1, a2, a1 + a2})
          nearest = std::min(nearest, std::fabs(weight(i, j) - level));
        CHECK(std::fabs(weight(i, j) - values(i, j)) == nearest);
      }
  }
}

TEST_CASE("fdb: one value, two values and {-c, 0, c} are kept exactly") {
  std::vector<std::vector<float>> rows(4, std::vector<float>(70));
  for (size_t j = 0; j < 70; ++j) {
    rows[0][j] = -0.3f;
    rows[1][j] = j % 3 ? 0.7f : -0.2f;
    rows[2][j] = 0.6f * float(int(j % 3) - 1);
    rows[3][j] = 0;
  }
  const Matrix weight = matrix_of(rows), values = decoded(packed(recipe_of(StepRule::Search), weight));
  for (size_t i = 0; i < weight.size(); ++i)
    CHECK(values.data()[i] == doctest::Approx(weight.data()[i]).epsilon(1e-6));
}

TEST_CASE("fdb: the same bytes for rows in another order, any thread count and every SIMD target") {
  const Matrix weight = random_weights(50, 150, 7);
  Matrix turned(50, 150);
  for (size_t i = 0; i < 50; ++i) std::copy_n(weight.row((i * 7) % 50), 150, turned.row(i));
  for (const DType type : {DType::F16, DType::BF16, DType::F32}) {
    const Recipe recipe = recipe_of(StepRule::Search, type, 64);
    const PackedLinear linear = packed(recipe, weight, 1);
    const Matrix a = decoded(linear), b = decoded(packed(recipe, turned));
    for (size_t i = 0; i < 50; ++i)
      for (size_t j = 0; j < 150; ++j) CHECK(a((i * 7) % 50, j) == b(i, j));
    const auto same = [&](const PackedLinear& other) {
      for (size_t t = 0; t < 3; ++t) CHECK(other.tensors[t].bytes == linear.tensors[t].bytes);
    };
    same(packed(recipe, weight, 5));
    for (int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left; left &= left - 1) {
      hwy::SetSupportedTargetsForTest(left & -left);
      hwy::GetChosenTarget().Update(hwy::SupportedTargets());
      CAPTURE(hwy::TargetName(left & -left));
      same(packed(recipe, weight));
      hwy::SetSupportedTargetsForTest(0);
    }
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
}

TEST_CASE("fdb, step_rule hessian: the weighed error never rises and is less than without weights") {
  std::mt19937_64 random(8);
  std::uniform_real_distribution<float> exponent(-4, 4);
  for (const size_t width : {21u, 64u, 128u}) {
    const Matrix weight = random_weights(kTileRows, width, width);
    Tiles tile(kTileRows, width);
    tile.load(0, weight.view());
    std::vector<float> importance(width);
    for (float& h : importance) h = std::exp(exponent(random));
    const FdbGroup group{tile.tile(0), importance.data(), width};
    alignas(64) float before[kTileRows] = {}, error[kTileRows], plain[kTileRows];
    for (int rounds = 0; rounds <= kFdbRounds; ++rounds) {
      fdb_error(group, fdb_fit(group, StepRule::Hessian, DType::F16, rounds), error);
      for (size_t lane = 0; lane < kTileRows; ++lane) {
        if (rounds > 0) CHECK(error[lane] <= before[lane]);
        before[lane] = error[lane];
      }
    }
    // The error by its definition, and that of scales that were fitted with all columns alike.
    const FdbScales scales = fdb_fit(group, StepRule::Hessian, DType::F16, kFdbRounds);
    fdb_error(group, fdb_fit(plain_group(tile), StepRule::Search, DType::F16, kFdbRounds), plain);
    double weighed = 0, unweighed = 0;
    for (size_t lane = 0; lane < kTileRows; ++lane) {
      double expected = 0;
      for (size_t j = 0; j < width; ++j) {
        const double w = double(weight(lane, j)), a1 = double(scales.first[lane]),
                     a2 = double(scales.second[lane]);
        double nearest = std::fabs(w);
        for (const double level : {a1, a2, double(float(a1) + float(a2))})
          nearest = std::min(nearest, std::fabs(w - level));
        expected += double(importance[j]) * nearest * nearest;
      }
      CHECK(double(error[lane]) == doctest::Approx(expected).epsilon(1e-5));
      weighed += double(error[lane]);
      unweighed += double(plain[lane]);
    }
    CHECK(weighed < 0.95 * unweighed);
  }
}

TEST_CASE(
    "fdb, step_rule hessian: columns that calibration never reached count nothing, a group of them alike") {
  Problem p = random_problem(20, 96, 9);
  const auto kill = [&](size_t begin, size_t end) {
    for (size_t j = begin; j < end; ++j)
      for (size_t i = 0; i < 96; ++i) p.hessian(i, j) = p.hessian(j, i) = 0;
  };
  kill(8, 16);   // a part of the first group
  kill(64, 96);  // the whole last one
  const Matrix first = decoded(packed(recipe_of(StepRule::Hessian), p));
  for (size_t i = 0; i < 20; ++i)
    for (size_t j = 8; j < 12; ++j) p.weight(i, j) *= 0.5f;  // the largest weight may stay another's
  const Matrix plain = decoded(packed(recipe_of(StepRule::Search), p.weight)),
               again = decoded(packed(recipe_of(StepRule::Hessian), p));
  size_t other = 0;
  for (size_t i = 0; i < 20; ++i) {
    for (size_t j = 64; j < 96; ++j) CHECK(again(i, j) == plain(i, j));
    bool same = true;
    for (size_t j = 0; j < 32; ++j)
      if (j < 8 || j >= 16) same = same && first(i, j) == again(i, j);
    other += !same;
  }
  CHECK(other <= 10);  // where a changed weight was the largest of its group, the search starts elsewhere
}

TEST_CASE("fdb, propagation: the published loop, group by group") {
  ThreadPool pool(2);
  const Problem p = random_problem(40, 150, 10);
  for (const StepRule rule : {StepRule::Max, StepRule::Search, StepRule::Hessian}) {
    Recipe recipe = recipe_of(rule);
    recipe.propagation = true;
    const Matrix ours = decoded(packed(recipe, p));
    // W[:, e:] -= E U[s:e, e:] in F64, each group fitted by the method itself without propagation.
    const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
    std::vector<std::vector<double>> u(150, std::vector<double>(150));  // U = R^-1
    for (size_t i = 150; i-- > 0;)
      for (size_t j = i; j < 150; ++j) {
        double sum = i == j ? 1 : 0;
        for (size_t k = i + 1; k <= j; ++k) sum -= double(factor.r(i, k)) * u[k][j];
        u[i][j] = sum / double(factor.r(i, i));
      }
    Matrix weight = p.weight.clone(), expected(40, 150);
    Recipe alone = recipe;
    alone.propagation = false;
    for (size_t s = 0; s < 150; s += 32) {
      const size_t e = std::min<size_t>(s + 32, 150);
      const Matrix fitted = decoded(packed(alone, Problem{weight.clone(), p.hessian.clone()}));
      for (size_t i = 0; i < 40; ++i)
        for (size_t j = s; j < e; ++j) {
          expected(i, j) = fitted(i, j);
          const double error = (double(weight(i, j)) - double(fitted(i, j))) / u[j][j];
          for (size_t l = e; l < 150; ++l) weight(i, l) = float(double(weight(i, l)) - error * u[j][l]);
        }
    }
    size_t outside = 0;
    for (size_t i = 0; i < 40; ++i) {
      float worst = 0;
      for (size_t j = 0; j < 150; ++j) worst = std::max(worst, std::fabs(ours(i, j) - expected(i, j)));
      outside += worst > 2e-5f * 0.2f;
    }
    CHECK(outside <= 2);  // a weight halfway between two levels
    const double with = linear_errors(p.weight, ours, &p.hessian, pool).output,
                 without = linear_errors(p.weight, decoded(packed(alone, p)), &p.hessian, pool).output;
    CHECK(with < 0.95 * without);
    CHECK(linear_errors(p.weight, expected, &p.hessian, pool).output == doctest::Approx(with).epsilon(1e-3));
  }
}

TEST_CASE("fdb with the Hessian: rows in another order give the same rows, any thread count the same bytes") {
  const std::pair<size_t, size_t> shapes[] = {{50, 150}, {190, 258}, {130, 261}, {61, 65}, {1, 40}, {17, 1}};
  for (const auto& [rows, columns] : shapes)
    for (const StepRule rule : {StepRule::Search, StepRule::Hessian})
      for (const bool propagation : {false, true}) {
        CAPTURE(rows);
        CAPTURE(columns);
        const Problem p = random_problem(rows, columns, rows + columns);
        Problem q{Matrix(rows, columns), p.hessian.clone()};
        for (size_t i = 0; i < rows; ++i) std::copy_n(p.weight.row(i * 7 % rows), columns, q.weight.row(i));
        Recipe recipe = recipe_of(rule, DType::F16, 64);
        recipe.propagation = propagation;
        const PackedLinear linear = packed(recipe, p, 1), other = packed(recipe, p, 5);
        for (size_t t = 0; t < 3; ++t) CHECK(other.tensors[t].bytes == linear.tensors[t].bytes);
        const Matrix a = decoded(linear), b = decoded(packed(recipe, q));
        for (size_t i = 0; i < rows; ++i)
          CHECK(std::memcmp(a.row(i * 7 % rows), b.row(i), columns * sizeof(float)) == 0);
      }
}

TEST_CASE("fdb: recipes and layouts out of range are refused") {
  const auto recipe = [](const std::string& parameters) {
    const auto result = recipe_from_json(
        R"({"method":"fdb","parameters":{"scale_type":"f16","propagation":false,"damping":0.01,)" +
        parameters + "}}");
    return result.ok() ? std::string("ok") : result.error().message;
  };
  CHECK(recipe(R"("group":128,"step_rule":"max")") == "ok");
  CHECK(recipe(R"("group":16,"step_rule":"max")") == "The parameter 'group' must be there and be 32 to 128.");
  CHECK(recipe(R"("group":-1,"step_rule":"max")") == "The parameter 'group' must be there and be 32 to 128.");
  CHECK(recipe(R"("group":64,"step_rule":"hessian")") == "ok");
  CHECK(recipe(R"("group":64,"step_rule":"best")") ==
        "The parameter 'step_rule' must be there and be one of max, search, hessian.");
  CHECK(recipe(R"("group":64,"step_rule":"max","bits":2)") == "The method has no parameter 'bits'.");
  const auto layout = [](const std::string& group) {
    const auto result =
        layout_from_json("P", R"({"method":"fdb","rows":3,"columns":70,"scale_type":"f16")" + group + "}");
    return result.ok() ? std::string("ok") : result.error().message;
  };
  CHECK(layout(R"(,"group":64)") == "ok");
  for (const char* group : {"", R"(,"group":0)", R"(,"group":71)"})
    CHECK(layout(group) == "The layout of P has a missing or impossible field 'group'.");
  CHECK(layout(R"(,"group":64,"order":"P.order")") ==
        "The layout of P has a missing or impossible field 'order'.");
}
