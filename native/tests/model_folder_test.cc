// Folders that are no model, or none that this program takes: each with its exact code and sentence.
#include <doctest/doctest.h>

#include <functional>
#include <limits>

#include "base/pool.h"
#include "model/ends.h"
#include "model/model.h"
#include "tests/tiny_model.h"

using signum::DType;
using signum::Model;

namespace {

namespace fs = std::filesystem;

// {folder} stands for the folder's path.
std::string filled(std::string text, const std::string& folder) {
  if (const size_t at = text.find("{folder}"); at != std::string::npos) text.replace(at, 8, folder);
  return text;
}

void check_refused(const std::string& folder, const std::string& code, const std::string& message) {
  const auto model = Model::open(folder);
  REQUIRE_FALSE(model.ok());
  CHECK(model.error().code == code);
  CHECK(model.error().message == filled(message, folder));
}

// config.json of the tiny model with one piece of text replaced.
std::string changed_config(const std::string& from, const std::string& to) {
  std::string config = random_tiny_model(1).config();
  const size_t at = config.find(from);
  REQUIRE(at != std::string::npos);
  return config.replace(at, from.size(), to);
}

const std::string kSupported =
    "supported: LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, Gemma2ForCausalLM, "
    "Gemma3ForCausalLM, Phi3ForCausalLM, OPTForCausalLM.";

std::string with_field(const std::string& field) { return changed_config("{", "{" + field + ", "); }

}  // namespace

TEST_CASE("config.json: every wrong field is named") {
  struct Case {
    std::string config, code, message;
  };
  const std::string vocab = "\"vocab_size\": 37";
  const Case cases[] = {
      {"", "config_invalid", "config.json: the file is not JSON."},
      {"{\"hidden_size\": 24", "config_invalid", "config.json: the file is not JSON."},
      {"[1, 2]", "config_invalid", "config.json: the file must hold one JSON object, but it holds [1,2]."},
      {"{}", "config_invalid", "config.json: architectures is missing."},
      {"{\"architectures\": \"LlamaForCausalLM\"}", "config_invalid",
       "config.json: architectures must be a list of names, but it is \"LlamaForCausalLM\"."},
      {"{\"architectures\": []}", "config_invalid",
       "config.json: architectures must be a list of names, but it is []."},
      {"{\"model_type\": 7}", "config_invalid", "config.json: model_type must be a text, but it is 7."},
      {"{\"architectures\": [\"GPT2LMHeadModel\"], \"model_type\": \"gpt2\"}", "architecture_unsupported",
       "The architecture GPT2LMHeadModel (gpt2) is not supported; " + kSupported},
      {"{\"model_type\": \"mamba\"}", "architecture_unsupported",
       "The architecture mamba is not supported; " + kSupported},
      {changed_config("LlamaForCausalLM", "LlamaForSequenceClassification"), "architecture_unsupported",
       "The architecture LlamaForSequenceClassification (llama) is not supported; " + kSupported},
      {changed_config("\"llama\"", "\"mistral\""), "architecture_unsupported",
       "The architecture LlamaForCausalLM (mistral) is not supported; " + kSupported},
      {changed_config("\"hidden_size\": 24, ", ""), "config_invalid", "config.json: hidden_size is missing."},
      {changed_config("\"hidden_size\": 24", "\"hidden_size\": null"), "config_invalid",
       "config.json: hidden_size is missing."},
      {changed_config(vocab, "\"vocab_size\": \"37\""), "config_invalid",
       "config.json: vocab_size must be a whole number from 1 to 268435456, but it is \"37\"."},
      {changed_config(vocab, "\"vocab_size\": 0"), "config_invalid",
       "config.json: vocab_size must be a whole number from 1 to 268435456, but it is 0."},
      {changed_config(vocab, "\"vocab_size\": -1"), "config_invalid",
       "config.json: vocab_size must be a whole number from 1 to 268435456, but it is -1."},
      {changed_config(vocab, "\"vocab_size\": 37.0"), "config_invalid",
       "config.json: vocab_size must be a whole number from 1 to 268435456, but it is 37.0."},
      {changed_config(vocab, "\"vocab_size\": 18446744073709551615"), "config_invalid",
       "config.json: vocab_size must be a whole number from 1 to 268435456, but it is 18446744073709551615."},
      {changed_config("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1000000"), "config_invalid",
       "config.json: num_hidden_layers must be a whole number from 1 to 10000, but it is 1000000."},
      {changed_config("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4"), "config_invalid",
       "config.json: num_attention_heads 6 must be a multiple of num_key_value_heads 4."},
      {changed_config("\"head_dim\": 10", "\"head_dim\": 9"), "config_invalid",
       "config.json: head_dim must be even for rotary positions, but it is 9."},
      {changed_config("\"head_dim\": 10, \"vocab_size\": 37", "\"head_dim\": null, \"vocab_size\": 37"),
       "tensor_shape",
       "The tensor model.layers.0.self_attn.q_proj.weight has shape [60, 24], but config.json means [24, "
       "24]."},
      {changed_config("\"hidden_size\": 24, \"intermediate_size\": 40, \"num_hidden_layers\": 2, "
                      "\"num_attention_heads\": 6, \"num_key_value_heads\": 2, \"head_dim\": 10",
                      "\"hidden_size\": 25, \"intermediate_size\": 40, \"num_hidden_layers\": 2, "
                      "\"num_attention_heads\": 6, \"num_key_value_heads\": 2"),
       "config_invalid", "config.json: hidden_size 25 must be a multiple of num_attention_heads 6."},
      {changed_config("\"rms_norm_eps\": 0.000010", "\"rms_norm_eps\": -1"), "config_invalid",
       "config.json: rms_norm_eps must be a number above 0, but it is -1."},
      {changed_config("\"rope_theta\": 10000.000000", "\"rope_theta\": true"), "config_invalid",
       "config.json: rope_theta must be a number above 0, but it is true."},
      {changed_config("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": 0"), "config_invalid",
       "config.json: tie_word_embeddings must be true or false, but it is 0."},
      {with_field("\"attention_bias\": true"), "tensor_missing",
       "The tensor model.layers.0.self_attn.q_proj.bias is missing."},
      {with_field("\"mlp_bias\": true"), "tensor_missing",
       "The tensor model.layers.0.mlp.gate_proj.bias is missing."},
      {with_field("\"mlp_bias\": \"no\""), "config_invalid",
       "config.json: mlp_bias must be true or false, but it is \"no\"."},
      {with_field("\"hidden_act\": \"gelu\""), "architecture_unsupported",
       "This model uses hidden_act gelu, which is not supported yet; supported: silu."},
      {with_field("\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2.0}"), "architecture_unsupported",
       "This model uses rope_scaling yarn, which is not supported yet; supported: default, linear, dynamic, "
       "llama3."},
      {with_field("\"rope_scaling\": {\"rope_type\": \"longrope\", \"long_factor\": [1.0]}"),
       "architecture_unsupported",
       "This model uses rope_scaling longrope, which is not supported yet; supported: default, linear, "
       "dynamic, llama3."},
      {with_field("\"rope_scaling\": {\"type\": \"linear\"}"), "config_invalid",
       "config.json: factor is missing."},
      {with_field("\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, "
                  "\"high_freq_factor\": 4}"),
       "config_invalid", "config.json: rope_scaling: high_freq_factor must be above low_freq_factor."},
      {with_field("\"rope_scaling\": \"linear\""), "config_invalid",
       "config.json: rope_scaling must be an object, but it is \"linear\"."},
      {with_field("\"rope_parameters\": {\"rope_type\": \"yarn\"}"), "architecture_unsupported",
       "This model uses rope_parameters yarn, which is not supported yet; supported: default, linear, "
       "dynamic, "
       "llama3."},
      {with_field("\"rope_parameters\": 3"), "config_invalid",
       "config.json: rope_parameters must be an object, but it is 3."},
      {with_field("\"partial_rotary_factor\": 0.5"), "architecture_unsupported",
       "This model uses partial_rotary_factor 0.5, which is not supported yet; supported: 1."},
      {with_field("\"rope_parameters\": {\"partial_rotary_factor\": 0.75}"), "architecture_unsupported",
       "This model uses partial_rotary_factor 0.75, which is not supported yet; supported: 1."},
      {with_field("\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4}"), "already_quantized",
       "This model is already quantized (gptq); give the original one."},
      {with_field("\"quantization_config\": {}"), "already_quantized",
       "This model is already quantized; give the original one."},
      {with_field("\"quantization\": {\"group_size\": 64, \"bits\": 4}"), "already_quantized",
       "This model is already quantized; give the original one."},
  };
  TemporaryFolder folder;
  write_model(random_tiny_model(1), folder.path);
  CHECK(Model::open(folder.path).ok());
  for (const Case& c : cases) {
    CAPTURE(c.config);
    write_bytes(folder / "config.json", c.config);
    check_refused(folder.path, c.code, c.message);
  }
  std::string huge = random_tiny_model(1).config();
  huge.append((size_t(16) << 20), ' ');
  write_bytes(folder / "config.json", huge);
  const auto model = Model::open(folder.path);
  REQUIRE_FALSE(model.ok());
  CHECK(model.error().code == "read_failed");
}

TEST_CASE("mixtures of experts and models of more than text are refused as what they are") {
  struct Case {
    std::string fields, name, what;
  };
  const std::string mixture = " is a mixture of experts, which is not supported; ",
                    pictures = " reads more than text, which is not supported; ";
  const Case cases[] = {
      {R"("architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "num_local_experts": 8)",
       "MixtralForCausalLM (mixtral)", mixture},
      {R"("architectures": ["Qwen2MoeForCausalLM"], "model_type": "qwen2_moe")",
       "Qwen2MoeForCausalLM (qwen2_moe)", mixture},
      {R"("architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe")",
       "Qwen3MoeForCausalLM (qwen3_moe)", mixture},
      {R"("architectures": ["PhiMoEForCausalLM"], "model_type": "phimoe")", "PhiMoEForCausalLM (phimoe)",
       mixture},
      {R"("architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3")",
       "DeepseekV3ForCausalLM (deepseek_v3)", mixture},
      {R"("model_type": "some_model", "n_routed_experts": 64)", "some_model", mixture},
      {R"("architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": {})",
       "Gemma3ForConditionalGeneration (gemma3)", pictures},
      {R"("architectures": ["LlavaModel"], "vision_config": {})", "LlavaModel", pictures},
  };
  for (const Case& c : cases) {
    CAPTURE(c.fields);
    TemporaryFolder folder;
    write_bytes(folder / "config.json", "{" + c.fields + "}");
    check_refused(folder.path, "architecture_unsupported",
                  "The architecture " + c.name + c.what + kSupported);
  }
}

TEST_CASE("options of families that the decoder block does not have") {
  struct Case {
    std::string fields, code, message;
  };
  const std::string opt = R"("model_type": "opt", "ffn_dim": 8, )";
  const std::string gemma = R"("model_type": "gemma3_text", "intermediate_size": 8, )";
  const Case cases[] = {
      {opt + R"("activation_function": "gelu")", "architecture_unsupported",
       "This model uses activation_function gelu, which is not supported yet; supported: relu."},
      {opt + R"("layer_norm_elementwise_affine": false)", "architecture_unsupported",
       "This model uses layer_norm_elementwise_affine false, which is not supported yet; supported: true."},
      {opt + R"("do_layer_norm_before": 1)", "config_invalid",
       "config.json: do_layer_norm_before must be true or false, but it is 1."},
      {R"("model_type": "opt", "intermediate_size": 8)", "config_invalid",
       "config.json: ffn_dim is missing."},
      {gemma + R"("hidden_activation": "gelu")", "architecture_unsupported",
       "This model uses hidden_activation gelu, which is not supported yet; supported: gelu_pytorch_tanh."},
      {gemma + R"("use_bidirectional_attention": true)", "architecture_unsupported",
       "This model uses use_bidirectional_attention true, which is not supported yet; supported: false."},
      {gemma + R"("layer_types": ["full_attention"])", "config_invalid",
       "config.json: layer_types must have a name for each of the 2 layers, but it is [\"full_attention\"]."},
      {gemma + R"("layer_types": ["full_attention", "chunked_attention"])", "architecture_unsupported",
       "This model uses layer_types \"chunked_attention\", which is not supported yet; supported: "
       "full_attention, sliding_attention."},
      {gemma + R"("sliding_window": 0)", "config_invalid",
       "config.json: sliding_window must be a whole number from 1 to 1073741824, but it is 0."},
      {gemma + R"("attn_logit_softcapping": 0)", "config_invalid",
       "config.json: attn_logit_softcapping must be a number above 0, but it is 0."},
  };
  for (const Case& c : cases) {
    CAPTURE(c.fields);
    TemporaryFolder folder;
    write_bytes(folder / "config.json",
                R"({"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 9, )" +
                    c.fields + "}");
    check_refused(folder.path, c.code, c.message);
  }
}

TEST_CASE("config.json: what counts in a family where a field is absent, and where it is null") {
  const auto read = [](const std::string& fields) {
    TemporaryFolder folder;
    write_bytes(folder / "config.json",
                R"({"hidden_size": 64, "num_hidden_layers": 7, "num_attention_heads": 4, "vocab_size": 9,
                    "intermediate_size": 8, "ffn_dim": 8, )" +
                    fields + "}");
    const auto config = signum::read_config(folder.path);
    REQUIRE_MESSAGE(config.ok(), config.error().message);
    return config.value();
  };
  const auto windows = [](const signum::ModelConfig& config) {
    std::vector<size_t> list;
    for (const auto& layer : config.attention) list.push_back(layer.window);
    return list;
  };
  using Windows = std::vector<size_t>;

  CHECK(windows(read(R"("model_type": "mistral")")) == Windows(7, 4096));
  CHECK(windows(read(R"("model_type": "mistral", "sliding_window": null)")) == Windows(7, 0));
  CHECK(windows(read(R"("model_type": "phi3")")) == Windows(7, 0));
  CHECK(windows(read(R"("model_type": "phi3", "sliding_window": 2047)")) == Windows(7, 2047));
  CHECK(windows(read(R"("model_type": "qwen2", "sliding_window": 9)")) == Windows(7, 0));
  CHECK(windows(read(R"("model_type": "qwen3", "use_sliding_window": true, "max_window_layers": 5)")) ==
        Windows{0, 0, 0, 0, 0, 4096, 4096});
  CHECK(windows(read(R"("model_type": "qwen2", "use_sliding_window": true, "sliding_window": 9,
                        "layer_types": ["full_attention", "sliding_attention", "full_attention",
                        "full_attention", "full_attention", "full_attention", "full_attention"])")) ==
        Windows{0, 9, 0, 0, 0, 0, 0});

  const auto gemma2 = read(R"("model_type": "gemma2")");
  CHECK(windows(gemma2) == Windows{4096, 0, 4096, 0, 4096, 0, 4096});
  CHECK(gemma2.head_dim == 256);
  CHECK(gemma2.tied);
  CHECK(gemma2.attention_scale == 1.0 / 16);
  CHECK(gemma2.attention_cap == 50);
  CHECK(gemma2.final_cap == 30);
  CHECK(gemma2.embedding_scale == 8);
  CHECK(read(R"("model_type": "gemma2", "attn_logit_softcapping": null)").attention_cap == 0);

  const auto gemma3 = read(R"("model_type": "gemma3_text", "sliding_window": 512)");
  CHECK(windows(gemma3) == Windows{512, 512, 512, 512, 512, 0, 512});
  CHECK(gemma3.attention_cap == 0);
  CHECK(gemma3.final_cap == 0);
  CHECK(read(R"("model_type": "gemma3_text", "final_logit_softcapping": 20)").final_cap == 20);
  REQUIRE(gemma3.ropes.size() == 2);
  CHECK(gemma3.ropes[gemma3.attention[5].rope].theta == 1e6);
  CHECK(gemma3.ropes[gemma3.attention[6].rope].theta == 10000);

  CHECK(read(R"("model_type": "qwen3")").head_dim == 128);
  CHECK(read(R"("model_type": "phi3")").norm_epsilon == 1e-5);
  // Dynamic scaling begins beyond the longest sequence that is taken.
  CHECK(read(R"("model_type": "llama", "rope_scaling": {"type": "dynamic", "factor": 4.0}, "rope_theta": 7)")
            .ropes.at(0) == signum::Rope{.theta = 7});

  const auto opt = read(R"("model_type": "opt", "word_embed_proj_dim": 32)");
  CHECK(opt.tied);
  CHECK(opt.ropes.empty());
  CHECK(opt.norm_first);
  CHECK(opt.final_norm);
  CHECK(opt.embedding_width == 32);
  CHECK(opt.norm_epsilon == 1e-5);
  CHECK_FALSE(read(R"("model_type": "opt", "_remove_final_layer_norm": true)").final_norm);
  CHECK_FALSE(read(R"("model_type": "opt", "do_layer_norm_before": false)").final_norm);
}

TEST_CASE("config.json: fields that may be absent, and transformers 5's rope_parameters") {
  TemporaryFolder folder;
  write_bytes(
      folder / "config.json",
      "{\"model_type\": \"llama\", \"hidden_size\": 64, \"intermediate_size\": 8, \"num_hidden_layers\": 1, "
      "\"num_attention_heads\": 4, \"vocab_size\": 9, \"rope_scaling\": null, \"partial_rotary_factor\": 1, "
      "\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 500000}}");
  const auto config = signum::read_config(folder.path);
  REQUIRE(config.ok());
  CHECK(config.value().kv_heads == 4);
  CHECK(config.value().head_dim == 16);
  CHECK(config.value().context == 2048);
  CHECK(config.value().norm_epsilon == 1e-6);
  CHECK(config.value().ropes.at(0).theta == 500000);
  CHECK_FALSE(config.value().tied);
}

TEST_CASE("folders without a model") {
  TemporaryFolder folder;
  check_refused(folder / "nowhere", "not_a_model_folder", "There is no folder {folder}.");
  check_refused(folder.path, "not_a_model_folder", "There is no config.json in {folder}.");
  write_bytes(folder / "model.gguf", "GGUF");
  check_refused(folder / "model.gguf", "not_a_model_folder",
                "{folder} is not a folder; give the folder that holds config.json.");
  fs::create_directory(folder / "config.json");
  check_refused(folder.path, "not_a_model_folder", "There is no config.json in {folder}.");
  fs::remove(folder / "config.json");
  fs::create_symlink(folder / "gone", folder / "config.json");
  check_refused(folder.path, "not_a_model_folder", "There is no config.json in {folder}.");
}

TEST_CASE("weights that are not there or not safetensors") {
  for (const char* other : {"pytorch_model.bin", "consolidated.00.pth", "model.gguf", "model.pt"}) {
    TemporaryFolder folder;
    write_bytes(folder / "config.json", random_tiny_model(1).config());
    check_refused(folder.path, "shard_missing",
                  "There is neither model.safetensors nor model.safetensors.index.json in {folder}.");
    write_bytes(folder / other, "x");
    check_refused(
        folder.path, "checkpoint_not_safetensors",
        "The weights of this model are not safetensors (" + std::string(other) + "); convert them first.");
  }
  TemporaryFolder folder;
  write_sharded(random_tiny_model(1), folder.path);
  CHECK(Model::open(folder.path).ok());
  fs::rename(folder / "model-00002-of-00003.safetensors", folder / "blob");
  check_refused(folder.path, "shard_missing",
                "The weight file model-00002-of-00003.safetensors is not there.");
  fs::create_symlink(folder / "gone", folder / "model-00002-of-00003.safetensors");
  check_refused(folder.path, "shard_missing",
                "The weight file model-00002-of-00003.safetensors is a link to a file that is not there.");
}

TEST_CASE("an index that lies") {
  struct Case {
    std::string index, code, message;
  };
  const std::string file = "model.safetensors.index.json: ";
  const std::string shard = "model-00001-of-00003.safetensors";
  const Case cases[] = {
      {"nothing", "shard_broken", file + "the file must hold one JSON object."},
      {"[]", "shard_broken", file + "the file must hold one JSON object."},
      {"{}", "shard_broken", file + "weight_map must be an object with a file name for each tensor."},
      {"{\"weight_map\": {}}", "shard_broken",
       file + "weight_map must be an object with a file name for each tensor."},
      {"{\"weight_map\": {\"a\": 1}}", "shard_broken",
       file + "weight_map must give a the name of a file in the same folder."},
      {"{\"weight_map\": {\"a\": \"../x.safetensors\"}}", "shard_broken",
       file + "weight_map must give a the name of a file in the same folder."},
      {"{\"weight_map\": {\"a\": \"..\"}}", "shard_broken",
       file + "weight_map must give a the name of a file in the same folder."},
      {"{\"weight_map\": {\"a\": \"" + shard + "\"}}", "tensor_missing",
       "The tensor a is not in " + shard + ", where the index says it is."},
      {"{\"weight_map\": {\"model.norm.weight\": \"" + shard +
           "\"}, \"metadata\": {\"signum_format\": \"9\"}}",
       "packed_broken",
       "This packed model has a format version that this program does not know; supported: 1."},
  };
  TemporaryFolder folder;
  write_sharded(random_tiny_model(1), folder.path);
  for (const Case& c : cases) {
    CAPTURE(c.index);
    write_bytes(folder / "model.safetensors.index.json", c.index);
    check_refused(folder.path, c.code, c.message);
  }
}

TEST_CASE("tensors that are missing, of another shape or another dtype") {
  struct Case {
    std::function<void(TinyModel&)> change;
    std::string code, message;
  };
  const auto without = [](const char* name) { return [name](TinyModel& m) { m.tensors.erase(name); }; };
  const auto shaped = [](const char* name, std::vector<size_t> shape) {
    return [name, shape](TinyModel& m) { m.tensors.at(name).shape = shape; };
  };
  const Case cases[] = {
      {without("model.layers.1.mlp.up_proj.weight"), "tensor_missing",
       "The tensor model.layers.1.mlp.up_proj.weight is missing."},
      {without("model.layers.1.input_layernorm.weight"), "tensor_missing",
       "The tensor model.layers.1.input_layernorm.weight is missing."},
      {without("model.norm.weight"), "tensor_missing", "The tensor model.norm.weight is missing."},
      {without("lm_head.weight"), "tensor_missing", "The tensor lm_head.weight is missing."},
      {without("model.embed_tokens.weight"), "tensor_missing",
       "The tensor model.embed_tokens.weight is missing."},
      {shaped("model.layers.0.mlp.down_proj.weight", {40, 24}), "tensor_shape",
       "The tensor model.layers.0.mlp.down_proj.weight has shape [40, 24], but config.json means [24, 40]."},
      {shaped("model.norm.weight", {24, 1}), "tensor_shape",
       "The tensor model.norm.weight has shape [24, 1], but config.json means [24]."},
      {shaped("lm_head.weight", {24, 37}), "tensor_shape",
       "The tensor lm_head.weight has shape [24, 37], but config.json means [37, 24]."},
  };
  for (const Case& c : cases) {
    TemporaryFolder folder;
    TinyModel model = random_tiny_model(1);
    c.change(model);
    write_model(model, folder.path);
    check_refused(folder.path, c.code, c.message);
  }
}

TEST_CASE("integer and F64 weights") {
  const std::string name = "model.layers.0.self_attn.q_proj.weight";
  const auto write_with = [&](const std::string& folder, const std::string& tensor, DType dtype) {
    TinyModel model = random_tiny_model(1);
    model.tensors.erase(name);
    fs::create_directories(folder);
    write_bytes(folder + "/config.json", model.config());
    std::vector<std::vector<uint8_t>> bytes;
    std::vector<signum::TensorToWrite> tensors;
    bytes.reserve(100);
    for (const auto& [known, t] : model.tensors) {
      bytes.push_back(stored_bytes(t, DType::F32));
      tensors.push_back({known, DType::F32, t.shape, bytes.back()});
    }
    bytes.emplace_back(60 * 24 * signum::dtype_bytes(dtype));
    tensors.push_back({tensor, dtype, {60, 24}, bytes.back()});
    REQUIRE(signum::write_safetensors(folder + "/model.safetensors", tensors, {}, false).ok());
  };
  TemporaryFolder folder;
  for (const DType dtype : {DType::I8, DType::U8, DType::I32}) {
    write_with(folder.path, name, dtype);
    check_refused(folder.path, "already_quantized",
                  "This model is already quantized (tensor " + name + "); give the original one.");
  }
  write_with(folder.path, "model.layers.0.self_attn.q_proj.qweight", DType::I32);
  check_refused(folder.path, "already_quantized",
                "This model is already quantized (tensor model.layers.0.self_attn.q_proj.qweight); give the "
                "original one.");
  write_with(folder.path, name, DType::F64);
  check_refused(folder.path, "tensor_shape", "The tensor " + name + " is F64; supported: F32, F16, BF16.");
}

TEST_CASE("a broken shard is named") {
  TemporaryFolder folder;
  write_model(random_tiny_model(1), folder.path);
  const std::string bytes = read_bytes(folder / "model.safetensors");
  write_bytes(folder / "model.safetensors", bytes.substr(0, bytes.size() - 4));
  const auto model = Model::open(folder.path);
  REQUIRE_FALSE(model.ok());
  CHECK(model.error().code == "shard_broken");
  CHECK(model.error().message.find("model.safetensors") != std::string::npos);
}

TEST_CASE("NaN and infinity in weights are refused when read, the tensor named") {
  signum::ThreadPool pool(2);
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()};
  const auto refused = [](const auto& result, const std::string& name) {
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == "weights_not_finite");
    CHECK(result.error().message == "The tensor " + name + " holds NaN or infinity.");
  };
  for (const float value : bad)
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16})
      for (const std::string name :
           {"model.layers.1.mlp.down_proj.weight", "model.embed_tokens.weight", "lm_head.weight"}) {
        TemporaryFolder folder;
        TinyModel tiny = random_tiny_model(1);
        tiny.tensors[name].values.back() = value;
        write_model(tiny, folder.path, dtype);
        const auto model = Model::open(folder.path);
        REQUIRE(model.ok());
        refused(model.value()->check_finite(pool), name);
        const uint32_t last[] = {36};
        signum::Matrix out(1, 24);
        if (name[0] == 'l') refused(signum::Head::load(*model.value(), pool), name);
        if (name[6] == 'e') refused(signum::embed(*model.value(), last, 1, out.view(), pool), name);
        if (name[6] == 'l') refused(model.value()->weight(model.value()->linears().back(), pool), name);
      }
  TemporaryFolder folder;
  write_model(random_tiny_model(1), folder.path);
  CHECK(Model::open(folder.path).value()->check_finite(pool).ok());
}
