// What a run does to each linear: one recipe for all, and overrides for those that it names.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "methods/quantize.h"
#include "model/model.h"

namespace signum {

// How a table is stored: as in the source, in F16, or in codes of 8 or 4 bits.
enum class TableType : uint8_t { Source, F16, Rtn8, Rtn4 };
struct TableTypes {
  TableType embedding = TableType::Source;
  TableType head = TableType::Source;  // of a tied model: the embedding's
};

class RunRecipe {
 public:
  // JSON text {"method", "parameters", "overrides", "embedding_type", "head_type"}; all but the first two may
  // be missing. The types are "source" (what they are when missing), "f16", "rtn8", "rtn4". Each override has
  // "linears" (full names, none of them twice in the recipe) and either "keep": true or "method" and
  // "parameters". Error recipe_invalid.
  static Result<RunRecipe> from_json(const std::string& text);

  // Error recipe_invalid: an override names a linear that the model does not have, or a tied head would have
  // another type than the embedding.
  Status check(const Model& model) const;

  const TableTypes& tables() const { return tables_; }
  // Null: the linear is kept as it is stored.
  const Recipe* of(const std::string& linear) const;
  // A recipe among those of the linears that cannot do without a Hessian, or null.
  const Recipe* needing_hessian(std::span<const LinearInfo> linears) const;

  // Whether one of them makes good what was lost before it, so that the original model's inputs are needed
  // too.
  bool corrects(std::span<const LinearInfo> linears) const;

 private:
  std::shared_ptr<const Recipe> usual_;
  TableTypes tables_;
  std::map<std::string, std::shared_ptr<const Recipe>> overrides_;  // by name; null: kept
};

// The recipe of each linear, null: kept.
std::vector<const Recipe*> recipes_of(const RunRecipe& recipe, std::span<const LinearInfo> linears);

// How many different factors the linears of each input ask for, by LinearInput. recipes: of linears, those of
// one decoder layer.
std::array<size_t, kLinearInputs> factors_by_input(std::span<const Recipe* const> recipes,
                                                   std::span<const LinearInfo> linears);

}  // namespace signum
