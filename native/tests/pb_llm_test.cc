// What pb-llm promises: exactly so many salient weights, the largest ones, stored in a mask that is read back
// or refused; and what the others become.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/pool.h"
#include "methods/bit_streams.h"
#include "methods/quantize.h"
#include "methods/salient_mask.h"
#include "methods/salient_weights.h"
#include "methods/stored.h"
#include "tests/random_problem.h"

using namespace signum;

namespace {

// By the published rule, over all weights of a group sorted: row, then column.
std::vector<std::vector<bool>> naive_salient(const Matrix& weight, const std::vector<float>& factor,
                                             size_t group, double share) {
  std::vector<std::vector<bool>> is(weight.rows(), std::vector<bool>(weight.columns()));
  for (size_t begin = 0; begin < weight.columns(); begin += group) {
    std::vector<std::pair<size_t, size_t>> places;
    for (size_t i = 0; i < weight.rows(); ++i)
      for (size_t j = begin; j < std::min(begin + group, weight.columns()); ++j) places.emplace_back(i, j);
    const auto size_at = [&](const auto& p) {
      return std::fabs(weight(p.first, p.second) * factor[p.second]);
    };
    std::stable_sort(places.begin(), places.end(),
                     [&](const auto& a, const auto& b) { return size_at(a) > size_at(b); });
    const double kept = double(places.size()) * (1 - share);
    const size_t count = std::max<long>(1, long(places.size()) - long(std::floor(kept)) - 1);
    for (size_t k = 0; k < count; ++k) is[places[k].first][places[k].second] = true;
  }
  return is;
}

SalientPlaces random_places(size_t rows, size_t columns, double share, std::mt19937_64& random) {
  SalientPlaces places{{0}, {}};
  for (size_t i = 0; i < rows; ++i) {
    const double own = i % 3 == 0 ? 0 : i % 7 == 1 ? 1 : share;  // empty rows, full rows, others
    for (size_t j = 0; j < columns; ++j)
      if (std::uniform_real_distribution<double>()(random) < own) places.columns.push_back(uint32_t(j));
    places.starts.push_back(places.columns.size());
  }
  return places;
}

// All rows of a mask.
Result<SalientPlaces> read_mask(const PackedLinear& linear, ThreadPool& pool) {
  const PackedView view = view_of(linear);
  SIGNUM_TRY(check_mask(view, pool));
  const MaskBytes mask = mask_bytes(view);
  SalientPlaces places{mask_starts(view.layout, mask.counts),
                       std::vector<uint32_t>(view.layout.salient_weights)};
  for (size_t i = 0; i < view.layout.rows; ++i)
    REQUIRE(read_mask_row(view.layout, mask, places.starts, i, places.columns.data() + places.starts[i]));
  return places;
}

PackedLinear linear_of(size_t rows, size_t columns, size_t low_bits, const SalientPlaces& places,
                       ThreadPool& pool) {
  PackedLinear linear;
  linear.layout.method = Method::PbLlm;
  linear.layout.rows = rows;
  linear.layout.columns = columns;
  linear.layout.salient_weights = places.columns.size();
  linear.layout.mask_low_bits = low_bits;
  linear.tensors = store_mask(linear.layout, places, pool);
  return linear;
}

Recipe recipe_of(double share, MeanRule rule, long group) {
  Recipe recipe;
  recipe.method = Method::PbLlm;
  recipe.scale_type = DType::F32;
  recipe.salient_share = share;
  recipe.mean_rule = rule;
  recipe.group = group;
  recipe.bits = 8;
  return recipe;
}

PackedLinear packed(const Recipe& recipe, const Problem& p, ThreadPool& pool) {
  const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
  return quantize(recipe, p.weight.clone(), &factor, pool).value();
}

}  // namespace

TEST_CASE("pb-llm: the salient weights are the largest, exactly so many, ties to the first") {
  ThreadPool pool(3);
  std::mt19937_64 random(1);
  for (const auto& [rows, columns] :
       {std::pair<size_t, size_t>{1, 1}, {1, 37}, {40, 1}, {17, 130}, {300, 200}})
    for (const double share : {0.01, 0.1, 0.3, 0.5})
      for (const size_t group : {size_t(32), size_t(100), columns})
        for (const int kind : {0, 1, 2}) {  // all different, many equal, all equal
          Matrix weight(rows, columns);
          std::vector<float> factor(columns);
          std::normal_distribution<float> normal;
          for (size_t i = 0; i < weight.size(); ++i)
            weight.data()[i] = kind == 0 ? normal(random) : kind == 1 ? float(int(random() % 9) - 4) : -0.5f;
          for (size_t j = 0; j < columns; ++j) factor[j] = kind < 2 && j % 5 == 4 ? 0.0f : 1 + float(j % 3);
          const size_t width = std::min(group, columns);
          const SalientWeights found = find_salient(weight.view(), factor, width, share, pool);
          const auto expected = naive_salient(weight, factor, width, share);
          size_t total = 0, wrong = 0;
          for (size_t i = 0; i < rows; ++i) {
            size_t own = 0;
            for (size_t j = 0; j < columns; ++j) {
              wrong += (found.tile(i / 16, columns)[j] >> (i % 16) & 1) != expected[i][j];
              own += expected[i][j];
            }
            CHECK(found.rows[i] == own);
            total += own;
          }
          CAPTURE(rows);
          CAPTURE(columns);
          CAPTURE(share);
          CAPTURE(kind);
          CHECK(wrong == 0);
          CHECK(total == salient_of_linear(rows, columns, width, share));
        }
  CHECK(salient_of_group(12288, 0.1) == 1228);
  CHECK(salient_of_group(1, 0.01) == 1);
}

TEST_CASE(
    "pb-llm: every mask is read back, stored again as the same bytes, and takes no more than any other "
    "code") {
  ThreadPool pool(2);
  std::mt19937_64 random(2);
  for (const auto& [rows, columns] :
       {std::pair<size_t, size_t>{1, 1}, {2, 9}, {33, 129}, {20, 1000}, {2, 70000}})
    for (const double share : {0.004, 0.1, 0.2, 0.5}) {
      const SalientPlaces places = random_places(rows, columns, share, random);
      if (places.columns.empty()) continue;
      size_t least = SIZE_MAX, chosen = 0;
      for (size_t low_bits = 0; low_bits <= kMostLowBits; ++low_bits) {
        CAPTURE(rows);
        CAPTURE(columns);
        CAPTURE(low_bits);
        const PackedLinear linear = linear_of(rows, columns, low_bits, places, pool);
        const auto found = read_mask(linear, pool);
        REQUIRE(found.ok());
        CHECK(found.value().starts == places.starts);
        CHECK(found.value().columns == places.columns);
        const std::vector<PackedTensor> again = store_mask(linear.layout, found.value(), pool);
        for (size_t t = 0; t < again.size(); ++t) CHECK(again[t].bytes == linear.tensors[t].bytes);
        least = std::min(least, linear.bytes());
        if (low_bits == choose_mask_low_bits(rows, columns, places.columns.size())) chosen = linear.bytes();
      }
      CHECK(chosen == least);
    }
  // A tenth of the weights of a large linear: 0.53 bits a weight, near the entropy of 0.47.
  const size_t m = 4096, n = 4096, salient = salient_of_group(m * n, 0.1);
  CHECK(choose_mask_low_bits(m, n, salient) == 3);
  CHECK(choose_mask_low_bits(m, n, salient_of_group(m * n, 0.3)) == 0);
}

TEST_CASE("pb-llm: masks that contradict themselves are refused, whatever bit is turned") {
  ThreadPool pool(1);
  std::mt19937_64 random(3);
  const SalientPlaces places = random_places(9, 50, 0.1, random);
  for (const size_t low_bits : {0, 2}) {
    const PackedLinear good = linear_of(9, 50, low_bits, places, pool);
    for (size_t t = 0; t < good.tensors.size(); ++t)
      for (size_t bit = 0; bit < 8 * good.tensors[t].bytes.size(); ++bit) {
        PackedLinear turned = good;
        turned.tensors[t].bytes[bit / 8] ^= uint8_t(1 << (bit & 7));
        const auto found = read_mask(turned, pool);
        // Low bits may make another mask, and padding says nothing; both are caught by the file's hashes.
        if (good.tensors[t].role == "mask_low" || (found.ok() && found.value().columns == places.columns))
          continue;
        CAPTURE(good.tensors[t].role);
        CAPTURE(bit);
        REQUIRE(!found.ok());
        CHECK(found.error().code == "packed_broken");
      }
  }
}

TEST_CASE("pb-llm by itself: without inputs in common every weight is what its row and group say") {
  ThreadPool pool(2);
  Problem p = random_problem(21, 170, 4);
  p.hessian = Matrix(170, 170);
  for (size_t j = 0; j < 170; ++j) p.hessian(j, j) = j == 33 ? 0.0f : 1 + float(j % 4);
  for (const MeanRule rule : {MeanRule::Published, MeanRule::LeastSquares})
    for (const long group : {-1, 64}) {
      const Recipe recipe = recipe_of(0.2, rule, group);
      const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
      const PackedLinear linear = packed(recipe, p, pool);
      const Matrix values = decode(linear, pool).value();
      const size_t width = linear.layout.group;
      CHECK(width == (group < 0 ? 170 : 64));
      std::vector<float> column_weight(170);
      for (size_t j = 0; j < 170; ++j) column_weight[j] = factor.dead[j] ? 0 : factor.r(j, j);
      const auto salient = naive_salient(p.weight, column_weight, width, 0.2);
      for (size_t i = 0; i < 21; ++i) {
        float least = 0, most = 0;
        for (size_t j = 0; j < 170; ++j) {
          least = std::min(least, p.weight(i, j));
          most = std::max(most, p.weight(i, j));
        }
        const float step = (most - least) / 255;
        for (size_t begin = 0; begin < 170; begin += width) {
          const size_t end = std::min<size_t>(170, begin + width);
          const auto weight = [&](size_t j) { return j == 33 ? 0.0 : double(p.weight(i, j)); };
          const auto counts = [&](size_t j) { return rule == MeanRule::Published || !salient[i][j]; };
          double mean = 0, scale = 0, count = 0;
          for (size_t j = begin; j < end; ++j) {
            count += counts(j);
            mean += salient[i][j] ? 0 : weight(j);
          }
          mean /= count;
          for (size_t j = begin; j < end; ++j)
            if (counts(j)) scale += std::fabs((salient[i][j] ? 0 : weight(j)) - mean) / count;
          for (size_t j = begin; j < end; ++j) {
            CAPTURE(i);
            CAPTURE(j);
            if (salient[i][j])
              CHECK(std::fabs(double(values(i, j)) - weight(j)) <= 0.5001 * double(step));
            else
              CHECK(double(values(i, j)) ==
                    doctest::Approx(mean + (weight(j) >= mean ? scale : -scale)).epsilon(1e-5).scale(0.01));
          }
        }
      }
    }
}

TEST_CASE("pb-llm: least squares over the binarized weights themselves fits the weights better") {
  ThreadPool pool(2);
  Problem p = random_problem(64, 256, 5);
  p.hessian = Matrix(256, 256);
  for (size_t j = 0; j < 256; ++j) p.hessian(j, j) = 1;
  for (const long group : {-1, 128}) {
    const auto error = [&](MeanRule rule) {
      const Matrix values = decode(packed(recipe_of(0.3, rule, group), p, pool), pool).value();
      return linear_errors(p.weight, values, nullptr, pool).weight;
    };
    CHECK(error(MeanRule::LeastSquares) < 0.95 * error(MeanRule::Published));
  }
}

TEST_CASE("pb-llm: more salient weights and wider codes lower the error, and take the bits that are said") {
  ThreadPool pool(2);
  const Problem p = random_problem(64, 256, 6);
  double before = 2;
  for (const double share : {0.01, 0.05, 0.2, 0.5}) {
    Recipe recipe = recipe_of(share, MeanRule::Published, -1);
    const PackedLinear wide = packed(recipe, p, pool);
    recipe.bits = 4;
    const PackedLinear narrow = packed(recipe, p, pool);
    const auto error = [&](const PackedLinear& linear) {
      return linear_errors(p.weight, decode(linear, pool).value(), &p.hessian, pool).output;
    };
    CHECK(error(wide) < before);
    CHECK(error(wide) < error(narrow));
    before = error(wide);
    const size_t salient = salient_of_group(64 * 256, share);
    CHECK(wide.layout.salient_weights == salient);
    CHECK(wide.nominal_bits() == doctest::Approx(1 + 7 * double(salient) / (64 * 256)));
    CHECK(narrow.nominal_bits() == doctest::Approx(1 + 3 * double(salient) / (64 * 256)));
    CHECK(wide.bytes() - narrow.bytes() == bytes_of_bits(7 * salient) - bytes_of_bits(3 * salient));
  }
}

TEST_CASE("pb-llm: recipes and layouts out of range are refused") {
  const auto recipe = [](const std::string& changed) {
    const auto result = recipe_from_json(
        R"({"method":"pb-llm","parameters":{"scale_type":"f16","salience":"hessian","group":-1,"mean_rule":"published","blocksize":128,"correction":0,"damping":0.01,)" +
        changed + "}}");
    return result.ok() ? std::string("ok") : result.error().message;
  };
  CHECK(recipe(R"("salient_share":0.1,"salient_bits":8)") == "ok");
  CHECK(recipe(R"("salient_share":0.6,"salient_bits":8)") ==
        "The parameter 'salient_share' must be there and be 0.010000 to 0.500000.");
  CHECK(recipe(R"("salient_share":0.1,"salient_bits":9)") ==
        "The parameter 'salient_bits' must be there and be 4 to 8.");
  const auto layout = [](const std::string& changed) {
    const auto result = layout_from_json(
        "P", R"({"method":"pb-llm","rows":3,"columns":70,"scale_type":"f16",)" + changed + "}");
    return result.ok() ? std::string("ok") : result.error().message;
  };
  const auto field = [](const char* key) {
    return "The layout of P has a missing or impossible field '" + std::string(key) + "'.";
  };
  CHECK(layout(R"("group":64,"salient_bits":8,"salient_weights":20,"mask_low_bits":2)") == "ok");
  CHECK(layout(R"("group":71,"salient_bits":8,"salient_weights":20,"mask_low_bits":2)") == field("group"));
  CHECK(layout(R"("group":64,"salient_bits":1,"salient_weights":20,"mask_low_bits":2)") ==
        field("salient_bits"));
  CHECK(layout(R"("group":64,"salient_bits":8,"salient_weights":0,"mask_low_bits":2)") ==
        field("salient_weights"));
  CHECK(layout(R"("group":64,"salient_bits":8,"salient_weights":211,"mask_low_bits":2)") ==
        field("salient_weights"));
  CHECK(layout(R"("group":64,"salient_bits":8,"salient_weights":20,"mask_low_bits":9)") ==
        field("mask_low_bits"));
}
