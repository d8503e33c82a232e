// What differs between families in GGUF files: names, metadata, what the tensors hold, and what is refused.
// That llama.cpp computes the same from them is tested in electron/exports.
#include <doctest/doctest.h>

#include "tests/tiny_export.h"
#include "tests/tiny_families.h"

using namespace signum;

namespace {

// The file, and the notes that go with it.
struct Exported : ReadGguf {
  std::vector<std::string> notes;
};

Exported exported(const TinyModel& model) {
  const TinyExport tiny(model);
  const auto done = tiny.run();
  if (!done.ok()) MESSAGE(done.error().message);
  REQUIRE(done.ok());
  return {GgufReader(tiny.output()).read(), done.value().notes};
}

std::string refused(const TinyModel& model) {
  const auto done = TinyExport(model).run();
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == "export_unsupported");
  return done.error().message;
}

TinyModel with(TinyModel model, const std::string& option, const std::string& value) {
  model.options[option] = value;
  return model;
}

// Heads that are together as wide as the model.
TinyModel tight(TinyModel model, uint32_t seed) {
  model.hidden = model.heads * model.head_dim;
  model.tensors.clear();
  randomize(model, seed);
  return model;
}

TinyModel fit_gemma2() { return with(tiny_gemma2().model, "query_pre_attn_scalar", "10"); }
// Seven layers, the sixth of which sees everything.
TinyModel fit_gemma3() {
  TinyModel model = tiny_gemma("Gemma3ForCausalLM", "gemma3_text", 5,
                               {{"sliding_window", "40"},
                                {"query_pre_attn_scalar", "10"},
                                {"rope_local_base_freq", "300.0"},
                                {"rope_scaling", R"({"factor": 8.0, "rope_type": "linear"})"}});
  model.layers = 7;
  model.tensors.clear();
  randomize(model, 6);
  TensorFiller add(model, 7);
  for (size_t i = 0; i < model.layers; ++i)
    for (const char* name : {"pre_feedforward_layernorm.weight", "post_feedforward_layernorm.weight"})
      add(naive_prefix(i) + name, {model.hidden}, 0, 0.5f);
  model.tensors.erase("lm_head.weight");
  add_head_norms(model, 0, 8);
  return model;
}

}  // namespace

TEST_CASE("LLaMA: biases go with their rows, stretched frequencies are a tensor") {
  const TinyModel model = tiny_llama3().model;
  const ReadGguf file = exported(model);
  const std::vector<float> bias = values_of(model, "model.layers.1.self_attn.k_proj.bias");
  const std::vector<float> turned = file.tensors.at("blk.1.attn_k.bias").values;
  REQUIRE(turned.size() == 20);
  for (size_t i = 0; i < 20; ++i) CHECK(turned[i / 10 * 10 + (i % 5) * 2 + (i % 10) / 5] == bias[i]);
  CHECK(file.tensors.at("blk.1.attn_output.bias").values ==
        values_of(model, "model.layers.1.self_attn.o_proj.bias"));
  CHECK(file.tensors.at("blk.2.ffn_down.bias").values ==
        values_of(model, "model.layers.2.mlp.down_proj.bias"));
  const std::vector<float> factors = file.tensors.at("rope_freqs.weight").values;
  REQUIRE(factors.size() == 5);
  CHECK(factors[0] == 1);  // ten turns within the trained length
  CHECK(factors[1] > 1);
  CHECK(factors[1] < 8);
  CHECK(factors[4] == 8);  // not one
  CHECK_FALSE(file.metadata.count("llama.rope.scaling.type"));
}

TEST_CASE("positions that are stretched evenly") {
  const ReadGguf file = exported(tiny_llama_linear().model);
  CHECK(file.text("llama.rope.scaling.type") == "linear");
  CHECK(file.number("llama.rope.scaling.factor") == 4);
  CHECK_FALSE(file.tensors.count("rope_freqs.weight"));
}

TEST_CASE("Mistral is a llama there; a window shorter than the context is said") {
  const Exported file = exported(tiny_mistral(40).model);
  CHECK(file.text("general.architecture") == "llama");
  REQUIRE(file.notes.size() == 1);
  CHECK(file.notes[0].find("more than 40 tokens") != std::string::npos);
  CHECK(exported(tiny_mistral(0).model).notes.empty());
  CHECK(exported(tiny_mistral(160).model).notes.empty());
}

TEST_CASE("Qwen: rows stay, biases and head norms are there") {
  TinyModel qwen2 = tight(tiny_qwen2(false).model, 3);
  add_biases(qwen2, {"q_proj", "k_proj", "v_proj"}, 4);
  const ReadGguf file = exported(qwen2);
  CHECK(file.text("general.architecture") == "qwen2");
  CHECK(file.tensors.at("blk.0.attn_q.weight").values ==
        values_of(qwen2, "model.layers.0.self_attn.q_proj.weight"));
  CHECK(file.tensors.at("blk.0.attn_q.bias").values ==
        values_of(qwen2, "model.layers.0.self_attn.q_proj.bias"));
  CHECK_FALSE(file.tensors.count("blk.0.attn_output.bias"));

  const TinyModel qwen3 = tiny_qwen3().model;
  const ReadGguf other = exported(qwen3);
  CHECK(other.text("general.architecture") == "qwen3");
  CHECK(other.number("qwen3.attention.key_length") == 10);
  CHECK(other.tensors.at("blk.2.attn_q_norm.weight").values ==
        values_of(qwen3, "model.layers.2.self_attn.q_norm.weight"));
}

TEST_CASE("Gemma: gains are stored less one, and here they are not") {
  const TinyModel model = fit_gemma2();
  const ReadGguf file = exported(model);
  CHECK(file.text("general.architecture") == "gemma2");
  CHECK(file.number("gemma2.attention.sliding_window") == 40);
  CHECK(file.number("gemma2.attn_logit_softcapping") == 3);
  CHECK(file.number("gemma2.final_logit_softcapping") == 5);
  CHECK_FALSE(file.tensors.count("output.weight"));
  const std::map<std::string, std::string> norms = {
      {"blk.1.attn_norm", "model.layers.1.input_layernorm"},
      {"blk.1.post_attention_norm", "model.layers.1.post_attention_layernorm"},
      {"blk.1.ffn_norm", "model.layers.1.pre_feedforward_layernorm"},
      {"blk.1.post_ffw_norm", "model.layers.1.post_feedforward_layernorm"},
      {"output_norm", "model.norm"}};
  for (const auto& [name, stored] : norms) {
    CAPTURE(name);
    std::vector<float> gains = values_of(model, stored + ".weight");
    for (float& gain : gains) gain += 1;
    CHECK(file.tensors.at(name + ".weight").values == gains);
  }

  const ReadGguf third = exported(fit_gemma3());
  CHECK(third.text("general.architecture") == "gemma3");
  CHECK(third.number("gemma3.rope.freq_base_swa") == 300);
  CHECK(third.text("gemma3.rope.scaling.type") == "linear");
  CHECK(third.tensors.count("blk.6.attn_k_norm.weight"));
}

TEST_CASE("what llama.cpp does not compute is refused, with what it does compute") {
  const auto says = [](const TinyModel& model, const char* what) {
    const std::string message = refused(model);
    CAPTURE(message);
    CHECK(message.find(what) != std::string::npos);
  };
  says(tiny_opt(true, true, 60).model,
       "does not know the family OPTForCausalLM; a GGUF file can be made of Llama");
  says(tiny_phi3(0).model, "heads that are together as wide as the model");
  says(tiny_gemma2().model, "square root of 10.");
  says(with(fit_gemma2(), "attn_logit_softcapping", "null"), "soft caps of scores and logits");
  says(with(fit_gemma2(), "layer_types", R"(["full_attention", "full_attention", "full_attention"])"),
       "in all layers but one of 2.");
  says(with(fit_gemma3(), "sliding_window_pattern", "3"), "in all layers but one of 6.");
  says(with(fit_gemma3(), "final_logit_softcapping", "30.0"), "no soft caps");
  says(with(tiny_qwen3().model, "rope_scaling",
            R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                                    "high_freq_factor": 4.0, "original_max_position_embeddings": 64})"),
       "no llama3 scaling of positions");
  TinyModel biased = with(tiny_qwen3().model, "attention_bias", "true");
  add_biases(biased, {"q_proj", "k_proj", "v_proj", "o_proj"}, 9);
  says(biased, "no such biases");
}
