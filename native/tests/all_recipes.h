// The recipes that the tests of all methods go through.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "methods/quantize.h"
#include "tests/random_problem.h"

namespace signum {

// Every method in every layout that it can produce.
inline std::vector<std::pair<std::string, Recipe>> all_recipes(DType scale_type = DType::F16) {
  std::vector<std::pair<std::string, Recipe>> out;
  const auto add = [&](const std::string& name, Method method, const auto& set) {
    Recipe r;
    r.method = method;
    r.scale_type = scale_type;
    set(r);
    out.emplace_back(name, r);
  };
  for (const int bits : {1, 2, 3, 5, 8})
    add("rtn " + std::to_string(bits), Method::Rtn, [&](Recipe& r) { r.bits = bits; });
  add("rtn group 32", Method::Rtn, [](Recipe& r) { r.group = 32; });
  add("rtn 4 group 32 symmetric", Method::Rtn,
      [](Recipe& r) { r.bits = 4, r.group = 32, r.symmetric = true; });
  add("rtn 2 group 64 clip", Method::Rtn, [](Recipe& r) { r.group = 64, r.clip_search = true; });
  add("rtn 3 symmetric clip", Method::Rtn, [](Recipe& r) { r.bits = 3, r.symmetric = r.clip_search = true; });
  add("gptq 2 row", Method::Gptq, [](Recipe&) {});
  add("gptq 3 group 32 ordered", Method::Gptq,
      [](Recipe& r) { r.bits = 3, r.group = 32, r.descending_order = true; });
  add("gptq 4 group 200", Method::Gptq, [](Recipe& r) { r.bits = 4, r.group = 200; });
  add("gptq 2 group 64 symmetric clip", Method::Gptq,
      [](Recipe& r) { r.group = 64, r.symmetric = r.clip_search = true; });
  add("gptq 4 row ordered clip", Method::Gptq,
      [](Recipe& r) { r.bits = 4, r.clip_search = r.descending_order = true; });
  add("billm", Method::BiLLM, [](Recipe&) {});
  add("billm magnitude 64", Method::BiLLM,
      [](Recipe& r) { r.salience = Salience::Magnitude, r.blocksize = 64; });
  add("billm, weights searched", Method::BiLLM, [](Recipe& r) { r.search_space = SearchSpace::Weights; });
  const auto pb_llm = [&](const std::string& more, double share, int bits, long group, auto... rules) {
    add("pb-llm " + more, Method::PbLlm, [&](Recipe& r) {
      r.salient_share = share, r.bits = bits, r.group = group;
      ((r.salience = rules.first, r.mean_rule = rules.second), ...);
    });
  };
  pb_llm("10 %", 0.1, 8, -1);
  pb_llm("30 % group 100", 0.3, 5, 100);
  pb_llm("50 % least squares magnitude", 0.5, 4, 128, std::pair(Salience::Magnitude, MeanRule::LeastSquares));
  pb_llm("1 %", 0.01, 8, 64);
  add("arb", Method::Arb, [](Recipe& r) { r.column_group_bitmap = false; });
  add("arb bitmap magnitude 64", Method::Arb,
      [](Recipe& r) { r.salience = Salience::Magnitude, r.blocksize = 64; });
  add("arb weights searched, 3 splits", Method::Arb,
      [](Recipe& r) { r.search_space = SearchSpace::Weights, r.column_group_bitmap = false, r.splits = 3; });
  add("arb bitmap, 2 splits", Method::Arb, [](Recipe& r) { r.splits = 2; });
  add("arb-x", Method::ArbX, [](Recipe& r) { r.column_group_bitmap = false; });
  add("arb-x bitmap", Method::ArbX, [](Recipe&) {});
  add("arb-x bitmap magnitude 64", Method::ArbX,
      [](Recipe& r) { r.salience = Salience::Magnitude, r.blocksize = 64; });
  add("arb-x, 2 splits", Method::ArbX, [](Recipe& r) { r.column_group_bitmap = false, r.splits = 2; });
  add("arb-x bitmap, weights searched, 3 splits", Method::ArbX,
      [](Recipe& r) { r.search_space = SearchSpace::Weights, r.splits = 3; });
  add("arb-rc", Method::ArbRc, [](Recipe& r) { r.column_group_bitmap = false; });
  add("arb-rc bitmap", Method::ArbRc, [](Recipe&) {});
  add("arb-rc, 3 splits", Method::ArbRc, [](Recipe& r) { r.column_group_bitmap = false, r.splits = 3; });
  add("arb-rc bitmap, weights searched, 2 splits", Method::ArbRc,
      [](Recipe& r) { r.search_space = SearchSpace::Weights, r.splits = 2; });
  add("fdb", Method::Fdb, [](Recipe& r) { r.group = 64; });
  add("fdb max 32", Method::Fdb, [](Recipe& r) { r.group = 32, r.step_rule = StepRule::Max; });
  add("fdb hessian", Method::Fdb, [](Recipe& r) { r.group = 64, r.step_rule = StepRule::Hessian; });
  add("fdb propagation 32", Method::Fdb, [](Recipe& r) { r.group = 32, r.propagation = true; });
  add("fdb hessian propagation", Method::Fdb,
      [](Recipe& r) { r.group = 128, r.step_rule = StepRule::Hessian, r.propagation = true; });
  for (const double share : {0.0, 0.3, 1.0})
    add("signum-rc " + std::to_string(share), Method::SignumRc,
        [&](Recipe& r) { r.second_plane = share, r.descending_order = true; });
  for (const double share : {0.2, 1.0})
    add("signum-rc third " + std::to_string(share), Method::SignumRc,
        [&](Recipe& r) { r.third_plane = share, r.blocksize = 64, r.descending_order = true; });
  add("signum-rc third, no column scales", Method::SignumRc,
      [](Recipe& r) { r.second_plane = 0.5, r.third_plane = 0.5, r.column_scales = false; });
  add("signum-rc no column scales", Method::SignumRc,
      [](Recipe& r) { r.second_plane = 0.5, r.column_scales = false; });
  return out;
}

// The same with blocks and groups that fill no whole words of bits.
inline std::vector<std::pair<std::string, Recipe>> ragged_recipes() {
  auto recipes = all_recipes();
  for (auto& [name, recipe] : recipes) {
    recipe.blocksize = 50;
    if (recipe.group > 0) recipe.group = 37;
  }
  return recipes;
}

inline Result<PackedLinear> run(const Recipe& recipe, const Problem& p, ThreadPool& pool) {
  auto factor = factorize(p.hessian, factor_options(recipe), pool);
  if (!factor.ok()) return factor.error();
  return quantize(recipe, p.weight.clone(), &factor.value(), pool);
}

inline bool same(const PackedLinear& a, const PackedLinear& b) {
  if (a.tensors.size() != b.tensors.size()) return false;
  for (size_t i = 0; i < a.tensors.size(); ++i)
    if (a.tensors[i].role != b.tensors[i].role || a.tensors[i].bytes != b.tensors[i].bytes) return false;
  return layout_to_json(a.layout) == layout_to_json(b.layout) && (!a.order || *a.order == *b.order);
}

}  // namespace signum
