#include <nlohmann/json.hpp>

#include "methods/quantize.h"

namespace signum {
namespace {

using nlohmann::json;

// Takes parameters out of the object one by one; the first fault is kept, and what is left at the end is
// unknown.
class Parameters {
 public:
  explicit Parameters(json object) : left_(std::move(object)) {}

  double number(const char* key, double least, double most) {
    const json value = take(key);
    if (!value.is_number()) return fail(key, "a number"), least;
    const double number = value.get<double>();
    if (!(number >= least && number <= most))
      return fail(key, std::to_string(least) + " to " + std::to_string(most)), least;
    return number;
  }
  long integer(const char* key, long least, long most, bool minus_one = false) {
    const json value = take(key);
    const std::string range =
        std::string(minus_one ? "-1 or " : "") + std::to_string(least) + " to " + std::to_string(most);
    if (!value.is_number_integer()) return fail(key, range), least;
    const long number = value.get<long>();
    if (!(minus_one && number == -1) && (number < least || number > most)) return fail(key, range), least;
    return number;
  }
  bool flag(const char* key) {
    const json value = take(key);
    if (!value.is_boolean()) return fail(key, "true or false"), false;
    return value.get<bool>();
  }
  size_t choice(const char* key, std::initializer_list<const char*> words) {
    const json value = take(key);
    std::string all;
    size_t index = 0;
    for (const char* word : words) {
      if (value.is_string() && value.get<std::string>() == word) return index;
      all += (index++ ? ", " : "") + std::string(word);
    }
    fail(key, "one of " + all);
    return 0;
  }
  std::optional<Error> finish() {
    if (!error_ && !left_.empty())
      error_ = Error{"recipe_invalid", "The method has no parameter '" + left_.begin().key() + "'.", ""};
    return error_;
  }

 private:
  json take(const char* key) {
    const auto it = left_.find(key);
    if (it == left_.end()) return json();
    json value = *it;
    left_.erase(it);
    return value;
  }
  void fail(const char* key, const std::string& expected) {
    if (!error_)
      error_ = Error{"recipe_invalid",
                     "The parameter '" + std::string(key) + "' must be there and be " + expected + ".", ""};
  }

  json left_;
  std::optional<Error> error_;
};

}  // namespace

Result<Recipe> recipe_from_json(const std::string& text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object() || !object.contains("method") || !object["method"].is_string() ||
      !object.contains("parameters") || !object["parameters"].is_object())
    return Error{"recipe_invalid", "A recipe must have a method and its parameters.", ""};
  Recipe recipe;
  SIGNUM_TAKE(recipe.method, method_from_id(object["method"].get<std::string>()));
  Parameters p(object["parameters"]);
  constexpr DType scale_types[] = {DType::F16, DType::F32, DType::BF16};
  recipe.scale_type = scale_types[p.choice("scale_type", {"f16", "f32", "bf16"})];
  if (recipe.method == Method::Rtn || recipe.method == Method::Gptq) {
    recipe.bits = int(p.integer("bits", recipe.method == Method::Rtn ? 1 : 2, 8));
    recipe.group = p.integer("group", 8, 1 << 20, true);
    recipe.symmetric = p.flag("symmetric");
    recipe.clip_search = p.flag("clip_search");
  }
  if (recipe.method == Method::Fdb) {
    recipe.group = p.integer("group", 32, 128);
    recipe.step_rule = StepRule(p.choice("step_rule", {"max", "search", "hessian"}));
    recipe.propagation = p.flag("propagation");
  }
  if (recipe.method == Method::PbLlm) {
    recipe.salient_share = p.number("salient_share", 0.01, 0.5);
    recipe.salience = Salience(p.choice("salience", {"hessian", "magnitude"}));
    recipe.bits = int(p.integer("salient_bits", 4, 8));
    recipe.group = p.integer("group", 8, 1 << 20, true);
    recipe.mean_rule = MeanRule(p.choice("mean_rule", {"published", "least_squares"}));
  }
  if (recipe.method != Method::Rtn) recipe.damping = p.number("damping", 1e-6, 1);
  if (recipe.method != Method::Rtn && recipe.method != Method::Fdb) {
    recipe.blocksize = size_t(p.integer("blocksize", 32, 256));
    recipe.correction = p.number("correction", 0, 1);
  }
  if (recipe.method == Method::Gptq || recipe.method == Method::SignumRc)
    recipe.descending_order = p.choice("order", {"natural", "hessian"}) == 1;
  if (has_salient_columns(recipe.method)) {
    recipe.salience = Salience(p.choice("salience", {"hessian", "magnitude"}));
    recipe.search_space = SearchSpace(p.choice("search_space", {"saliency", "weights"}));
    recipe.max_salient = size_t(p.integer("max_salient", 2, 256));
  }
  if (may_split_salient(recipe.method)) {
    recipe.column_group_bitmap = p.flag("column_group_bitmap");
    recipe.splits = size_t(p.integer("splits", 1, 3));
    recipe.iterations = int(p.integer("iterations", 0, 100));
  }
  if (recipe.method == Method::SignumRc) {
    recipe.second_plane = p.number("second_plane", 0, 1);
    recipe.third_plane = p.number("third_plane", 0, recipe.second_plane);
    recipe.column_scales = p.flag("column_scales");
    recipe.refits = int(p.integer("refits", 0, 20));
  }
  if (const auto error = p.finish()) return *error;
  if (recipe.symmetric && recipe.bits < 2)
    return Error{"recipe_invalid", "A symmetric grid needs at least 2 bits: with 1 every weight becomes 0.",
                 ""};
  return recipe;
}

bool needs_hessian(const Recipe& recipe) {
  if (recipe.method == Method::Fdb) return recipe.step_rule == StepRule::Hessian || recipe.propagation;
  return recipe.method != Method::Rtn;
}

FactorOptions factor_options(const Recipe& recipe) {
  return {.damping = recipe.damping,
          .descending_order = recipe.descending_order,
          .keep_blocks = recipe.method == Method::ArbX ? recipe.blocksize : 0,
          .diagonal_only = recipe.method == Method::Fdb && !recipe.propagation};
}

}  // namespace signum
