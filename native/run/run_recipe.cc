#include "run/run_recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace signum {
namespace {

using Json = nlohmann::json;

Error invalid(const std::string& message) { return {"recipe_invalid", message, ""}; }

Result<std::shared_ptr<const Recipe>> recipe_of(const Json& object) {
  SIGNUM_TAKE(Recipe recipe, recipe_from_json(object.dump()));
  return std::make_shared<const Recipe>(std::move(recipe));
}

// One override's recipe; null where it keeps its linears.
Result<std::shared_ptr<const Recipe>> override_of(const Json& object) {
  if (!object.is_object() || !object.contains("linears") || !object["linears"].is_array() ||
      object["linears"].empty())
    return invalid("An override must name its linears.");
  for (const auto& [key, value] : object.items())
    if (key != "linears" && key != "keep" && key != "method" && key != "parameters")
      return invalid("An override has no key '" + key + "'.");
  const bool keeps = object.contains("keep");
  if (keeps && (object["keep"] != true || object.size() != 2))
    return invalid("An override either keeps its linears ('keep': true) or has a method and parameters.");
  if (keeps) return std::shared_ptr<const Recipe>();
  return recipe_of(object);
}

Result<TableType> table_type(const Json& recipe, const char* key) {
  constexpr const char* kWords[] = {"source", "f16", "rtn8", "rtn4"};
  if (!recipe.contains(key)) return TableType::Source;
  const auto found = std::ranges::find_if(kWords, [&](const char* word) { return recipe[key] == word; });
  if (found == std::end(kWords))
    return invalid("The recipe's '" + std::string(key) + "' must be source, f16, rtn8 or rtn4.");
  return TableType(found - std::begin(kWords));
}

}  // namespace

Result<RunRecipe> RunRecipe::from_json(const std::string& text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return invalid("The recipe is not a JSON object.");
  RunRecipe recipe;
  SIGNUM_TAKE(recipe.usual_, recipe_of(object));
  SIGNUM_TAKE(recipe.tables_.embedding, table_type(object, "embedding_type"));
  SIGNUM_TAKE(recipe.tables_.head, table_type(object, "head_type"));
  const auto overrides = object.find("overrides");
  if (overrides == object.end()) return recipe;
  if (!overrides->is_array()) return invalid("The recipe's overrides must be a list.");
  for (const Json& one : *overrides) {
    SIGNUM_TAKE(const auto its, override_of(one));
    for (const Json& name : one["linears"]) {
      if (!name.is_string()) return invalid("An override must name its linears by text.");
      if (!recipe.overrides_.emplace(name.get<std::string>(), its).second)
        return invalid("The linear " + name.get<std::string>() + " is overridden twice.");
    }
  }
  return recipe;
}

Status RunRecipe::check(const Model& model) const {
  for (const auto& [name, recipe] : overrides_)
    if (std::ranges::none_of(model.linears(), [&](const LinearInfo& linear) { return linear.name == name; }))
      return invalid("The recipe overrides the linear " + name + ", which the model does not have.");
  if (model.config().tied && tables_.head != TableType::Source && tables_.head != tables_.embedding)
    return invalid("The head of this model is its embedding table: embedding_type says how both are stored.");
  return {};
}

const Recipe* RunRecipe::of(const std::string& linear) const {
  const auto found = overrides_.find(linear);
  return found == overrides_.end() ? usual_.get() : found->second.get();
}

const Recipe* RunRecipe::needing_hessian(std::span<const LinearInfo> linears) const {
  for (const LinearInfo& linear : linears)
    if (const Recipe* recipe = of(linear.name); recipe && needs_hessian(*recipe)) return recipe;
  return nullptr;
}

bool RunRecipe::corrects(std::span<const LinearInfo> linears) const {
  return std::ranges::any_of(linears, [&](const LinearInfo& linear) {
    const Recipe* recipe = of(linear.name);
    return recipe && recipe->correction > 0;
  });
}

std::vector<const Recipe*> recipes_of(const RunRecipe& recipe, std::span<const LinearInfo> linears) {
  std::vector<const Recipe*> recipes;
  for (const LinearInfo& linear : linears) recipes.push_back(recipe.of(linear.name));
  return recipes;
}

std::array<size_t, kLinearInputs> factors_by_input(std::span<const Recipe* const> recipes,
                                                   std::span<const LinearInfo> linears) {
  std::array<std::vector<FactorOptions>, kLinearInputs> wanted;
  for (size_t i = 0; i < linears.size(); ++i) {
    if (!recipes[i] || !needs_hessian(*recipes[i])) continue;
    auto& its = wanted[size_t(linears[i].input)];
    const FactorOptions options = factor_options(*recipes[i]);
    if (std::ranges::find(its, options) == its.end()) its.push_back(options);
  }
  std::array<size_t, kLinearInputs> counts;
  std::ranges::transform(wanted, counts.begin(), [](const auto& its) { return its.size(); });
  return counts;
}

}  // namespace signum
