#include "export/gptq_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

Error unsupported(const std::string& sentence) { return {"export_unsupported", sentence, ""}; }

// A linear by itself.
Status check_linear(const std::string& name, const PackedView& linear) {
  const Layout& layout = linear.layout;
  if (layout.method != Method::Rtn && layout.method != Method::Gptq)
    return unsupported("The GPTQ format holds the integer codes of rtn and gptq, and " + name + " is " +
                       method_id(layout.method) + ".");
  const size_t bits = size_t(layout.bits);
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8)
    return unsupported("The GPTQ format has 2, 3, 4 and 8 bits, and " + name + " has " +
                       std::to_string(bits) + ".");
  for (const auto& [what, side] : {std::pair("outputs", layout.rows), std::pair("inputs", layout.columns)})
    if (side * bits % 32 != 0)
      return unsupported("The GPTQ format packs " + std::to_string(bits) +
                         "-bit codes into words of 32 bits, and " + name + " has " + std::to_string(side) +
                         " " + what + ": no multiple of " + std::to_string(bits == 3 ? 32 : 32 / bits) + ".");
  if (!gptq_scales_fit(linear))
    return unsupported("The GPTQ format stores scales as F16, and a scale of " + name +
                       " is no F16 number; a run with scale_type f16 can be exported.");
  return {};
}

class Planner {
 public:
  Status add(const std::string& name, PackedView linear) {
    SIGNUM_TRY(check_linear(name, linear));
    const Layout& layout = linear.layout;
    if (plan_.linears.empty()) plan_.form.bits = layout.bits;
    if (layout.bits != plan_.form.bits)
      return unsupported("A folder in the GPTQ format has one number of bits; this model has linears of " +
                         std::to_string(plan_.form.bits) + " and of " + std::to_string(layout.bits) + ".");
    if (layout.group < layout.columns) {
      if (plan_.group != 0 && plan_.group != layout.group)
        return unsupported("A folder in the GPTQ format has one group size; this model has groups of " +
                           std::to_string(plan_.group) + " and of " + std::to_string(layout.group) + ".");
      plan_.group = layout.group;
    } else {
      widest_whole_ = std::max(widest_whole_, layout.columns);
    }
    plan_.act_order |= layout.has_order;
    plan_.symmetric &= layout.symmetric;
    if (gptq_least_zero(linear) == 0) plan_.form.zeros_less = false;
    plan_.linears.emplace(name, std::move(linear));
    return {};
  }

  void keep(const std::string& name) { plan_.kept.push_back(name); }

  Result<GptqPlan> finish() {
    if (plan_.linears.empty())
      return unsupported("The GPTQ format is for runs of rtn and gptq; this model has no quantized linear.");
    // Whole rows beside groups: one group of a row that is not wider than a group.
    if (plan_.group != 0 && widest_whole_ > plan_.group)
      return unsupported("A folder in the GPTQ format has one group size; this model has groups of " +
                         std::to_string(plan_.group) + " and of whole rows.");
    note();
    return std::move(plan_);
  }

 private:
  void note() {
    size_t uneven = 0, odd = 0;
    for (const auto& [name, linear] : plan_.linears) {
      uneven += plan_.group != 0 && linear.layout.columns % plan_.group != 0;
      odd += linear.layout.rows % 32 != 0 || linear.layout.columns % 32 != 0;
    }
    if (uneven > 0)
      plan_.notes.push_back("vLLM loads linears whose inputs are a multiple of the group size only; " +
                            std::to_string(uneven) + " of this model are not.");
    if (odd > 0)
      plan_.notes.push_back("AutoGPTQ and GPTQModel load linears whose sides are multiples of 32 only; " +
                            std::to_string(odd) + " of this model are not.");
    if (!plan_.form.zeros_less)
      plan_.notes.push_back(
          "A code of the value 0 is 0, which only the form gptq_v2 stores: programs that know no "
          "checkpoint_format read other weights.");
  }

  GptqPlan plan_;
  size_t widest_whole_ = 0;  // columns of a linear with one group
};

std::string escaped(const std::string& name) {
  std::string out;
  for (const char letter : name) out += letter == '.' ? "\\." : std::string(1, letter);
  return out;
}

}  // namespace

Json GptqPlan::quantization_config() const {
  Json config = {{"quant_method", "gptq"},
                 {"bits", form.bits},
                 {"group_size", group == 0 ? -1 : int64_t(group)},
                 {"desc_act", act_order},
                 {"sym", symmetric},
                 {"static_groups", false},
                 {"lm_head", false},
                 {"checkpoint_format", form.zeros_less ? "gptq" : "gptq_v2"},
                 {"pack_dtype", "int32"},
                 {"meta", {{"quantizer", {std::string("signum:") + SIGNUM_VERSION}}}}};
  // GPTQModel's way to say which modules are plain.
  for (const std::string& name : kept) config["dynamic"]["-:^" + escaped(name) + "$"] = Json::object();
  return config;
}

Result<GptqPlan> plan_gptq(const Model& model, ThreadPool& pool) {
  Planner planner;
  for (const LinearInfo& linear : model.linears()) {
    SIGNUM_TAKE(auto view, model.packed_view(linear));
    if (!view) {
      planner.keep(linear.name);
      continue;
    }
    SIGNUM_TRY(check_view(*view, pool));
    SIGNUM_TRY(planner.add(linear.name, std::move(*view)));
  }
  return planner.finish();
}

}  // namespace signum
