// splits and search_space of the ARB methods against the published procedure done naively, and what FORMAT.md
// says of the group bits.
#include <doctest/doctest.h>

#include <cmath>

#include "base/pool.h"
#include "methods/quantize.h"
#include "tests/naive_arb.h"
#include "tests/random_problem.h"

using namespace signum;

namespace {

// Of one block: what quantize() makes of it, and what the naive procedure does; max |difference| / max |W|.
double distance(const Recipe& recipe, const Problem& p, ThreadPool& pool) {
  const size_t rows = p.weight.rows(), columns = p.weight.columns();
  const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
  naive::Dense weight(rows * columns), saliency(weight.size());
  double largest = 0;
  for (size_t at = 0; at < weight.size(); ++at) {
    weight[at] = double(p.weight.data()[at]);
    largest = std::max(largest, std::fabs(weight[at]));
    const float scaled = p.weight.data()[at] * factor.r(at % columns, at % columns);
    saliency[at] = recipe.salience == Salience::Hessian ? double(scaled * scaled) : weight[at];
  }
  Matrix gram(columns, columns);
  for (size_t i = 0; i < gram.size(); ++i) gram.data()[i] = 0.5f * p.hessian.data()[i];
  const naive::Dense& searched = recipe.search_space == SearchSpace::Weights ? weight : saliency;
  const naive::Dense expected =
      naive::quantize(recipe, {rows, columns, &gram, recipe.iterations}, weight, saliency, searched);
  const PackedLinear linear = quantize(recipe, p.weight.clone(), &factor, pool).value();
  const Matrix decoded = decode(linear, pool).value();
  double worst = 0;
  for (size_t at = 0; at < weight.size(); ++at)
    worst = std::max(worst, std::fabs(double(decoded.data()[at]) - expected[at]) / largest);
  return worst;
}

}  // namespace

TEST_CASE("arb, arb-x, arb-rc equal the published procedure for every splits and search_space") {
  ThreadPool pool(2);
  size_t compared = 0;
  for (const uint64_t seed : {1, 2}) {
    const Problem p = uneven_problem(seed == 1 ? 21 : 9, seed == 1 ? 48 : 31, seed);
    for (const Method method : {Method::Arb, Method::ArbX, Method::ArbRc})
      for (const bool bitmap : {false, true})
        for (const SearchSpace space : {SearchSpace::Saliency, SearchSpace::Weights})
          for (const size_t splits : {1, 2, 3}) {
            Recipe recipe;
            recipe.method = method;
            recipe.scale_type = DType::F32;
            recipe.column_group_bitmap = bitmap;
            recipe.search_space = space;
            recipe.splits = splits;
            recipe.iterations = 4;
            CAPTURE(method_id(method));
            CAPTURE(bitmap);
            CAPTURE(int(space));
            CAPTURE(splits);
            CAPTURE(seed);
            CHECK(distance(recipe, p, pool) <= 2e-5);
            ++compared;
          }
  }
  CHECK(compared == 72);
}

TEST_CASE("search_space makes no difference where salience is magnitude") {
  ThreadPool pool(2);
  const Problem p = uneven_problem(40, 300, 3);
  for (const Method method : {Method::BiLLM, Method::Arb, Method::ArbX, Method::ArbRc}) {
    Recipe recipe;
    recipe.method = method;
    recipe.salience = Salience::Magnitude;
    const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
    const PackedLinear a = quantize(recipe, p.weight.clone(), &factor, pool).value();
    recipe.search_space = SearchSpace::Weights;
    const PackedLinear b = quantize(recipe, p.weight.clone(), &factor, pool).value();
    REQUIRE(a.tensors.size() == b.tensors.size());
    for (size_t i = 0; i < a.tensors.size(); ++i) CHECK(a.tensors[i].bytes == b.tensors[i].bytes);
  }
}

TEST_CASE("more splits leave less of the weights; three groups never set both bits") {
  ThreadPool pool(2);
  const Problem p = uneven_problem(64, 256, 4);
  for (const Method method : {Method::Arb, Method::ArbX, Method::ArbRc}) {
    double before = 1;
    for (const size_t splits : {1, 2, 3}) {
      Recipe recipe;
      recipe.method = method;
      recipe.search_space = SearchSpace::Weights;
      recipe.splits = splits;
      const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
      PackedLinear linear = quantize(recipe, p.weight.clone(), &factor, pool).value();
      const double error = linear_errors(p.weight, decode(linear, pool).value(), nullptr, pool).weight;
      CAPTURE(method_id(method));
      CAPTURE(splits);
      CHECK(error < before);
      before = error;
      CHECK((linear.find("group2") != nullptr) == (splits > 1));
      if (splits != 2) continue;
      for (PackedTensor& tensor : linear.tensors)
        if (tensor.role == "group2") std::fill(tensor.bytes.begin(), tensor.bytes.end(), uint8_t(255));
      const auto refused = decode(linear, pool);
      REQUIRE(!refused.ok());
      CHECK(refused.error().code == "packed_broken");
    }
  }
}
