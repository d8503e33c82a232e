#include "bench/random_model.h"

#include <cmath>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "base/half.h"
#include "base/pool.h"
#include "bench/random_packed.h"
#include "file/json_file.h"
#include "model/architecture.h"
#include "run/shard.h"

namespace signum::bench {
namespace {

using Json = nlohmann::json;

struct Sides {
  size_t rows, columns;
  float spread() const { return 1 / std::sqrt(float(columns)); }  // outputs are as large as inputs
};

// F16 tensors of one shard, and the bytes that they have until it is written.
class Tensors {
 public:
  explicit Tensors(ThreadPool& pool) : pool_(pool) {}
  // Even from -sqrt(3) spread to sqrt(3) spread.
  void add_matrix(const std::string& name, Sides sides, uint64_t seed) {
    std::vector<uint16_t> values(1 << 12);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = float_to_half((float(i) + 0.5f - 2048) / 2048 * std::sqrt(3.0f) * sides.spread());
    auto& bytes = storage_.emplace_back(sides.rows * sides.columns * 2);
    pool_.parallel_for(sides.rows, [&](size_t r) {
      std::mt19937_64 random(seed * 1000003 + r);
      for (size_t j = 0; j < sides.columns; ++j)
        std::memcpy(&bytes[2 * (r * sides.columns + j)], &values[random() >> 52], 2);
    });
    list_.push_back({name, DType::F16, {sides.rows, sides.columns}, bytes});
  }
  void add_ones(const std::string& name, size_t count) {
    auto& bytes = storage_.emplace_back(count * 2);
    for (size_t i = 0; i < count; ++i) bytes[2 * i + 1] = 0x3C;
    list_.push_back({name, DType::F16, {count}, bytes});
  }
  const std::vector<TensorToWrite>& list() const { return list_; }

 private:
  ThreadPool& pool_;
  std::deque<std::vector<uint8_t>> storage_;
  std::vector<TensorToWrite> list_;
};

std::string config_of(const ModelShape& shape) {
  return Json{{"architectures", {"LlamaForCausalLM"}},
              {"model_type", "llama"},
              {"hidden_size", shape.hidden},
              {"intermediate_size", shape.intermediate},
              {"num_hidden_layers", shape.layers},
              {"num_attention_heads", shape.heads},
              {"num_key_value_heads", shape.kv_heads},
              {"vocab_size", shape.vocabulary},
              {"max_position_embeddings", shape.context},
              {"rms_norm_eps", 1e-5},
              {"rope_theta", 10000.0},
              {"hidden_act", "silu"},
              {"tie_word_embeddings", false},
              {"torch_dtype", "float16"}}
             .dump(2) +
         "\n";
}

class Writer {
 public:
  Writer(const std::string& folder, const ModelShape& shape, const ModelForm& form, ThreadPool& pool)
      : folder_(folder), shape_(shape), form_(form), pool_(pool) {
    const std::string recipe = R"({"method":"random"})";
    fingerprint_ = {.source = "{}",
                    .recipe = recipe,
                    .calibration = "null",
                    .program = program_name(),
                    .blas = "",
                    .simd = "",
                    .device = "cpu"};
  }

  Status write() {
    std::filesystem::create_directories(folder_);
    SIGNUM_TRY(write_text_file(folder_ + "/config.json", config_of(shape_)));
    for (size_t layer = 0; layer < shape_.layers; ++layer) SIGNUM_TRY(write_layer(layer));
    SIGNUM_TRY(write_rest());
    if (packed()) return write_index(folder_, shape_.layers + 1);
    const Json index = {{"metadata", {{"total_size", total_}}}, {"weight_map", places_}};
    return write_text_file(folder_ + "/model.safetensors.index.json", index.dump(2) + "\n");
  }

 private:
  bool packed() const { return form_.linears != "f16"; }
  Sides sides_of(const LinearRule& rule) const {
    const size_t head = shape_.hidden / shape_.heads;
    const auto width = [&](Width of) {
      if (of == Width::KeyValues) return shape_.kv_heads * head;
      return of == Width::Intermediate ? shape_.intermediate : shape_.hidden;
    };
    return {width(rule.rows), width(rule.columns)};
  }

  Status write_layer(size_t layer) {
    const Architecture& llama = architectures()[0];
    const std::string prefix = llama.layers + std::to_string(layer) + ".";
    Tensors stored(pool_);
    std::vector<NamedLinear> linears;
    std::map<LinearInput, std::shared_ptr<const std::vector<uint32_t>>> orders;
    for (const LinearRule& rule : llama.linears) {
      const Sides sides = sides_of(rule);
      if (!packed()) {
        stored.add_matrix(prefix + rule.module + ".weight", sides, ++seed_);
        continue;
      }
      SIGNUM_TAKE(PackedLinear linear, random_linear(form_.linears, sides));
      if (linear.layout.method == Method::SignumRc) {
        if (!orders[rule.input]) orders[rule.input] = random_order(sides.columns, ++seed_);
        linear.order = orders[rule.input];
      }
      linears.push_back({prefix + rule.module, std::move(linear)});
    }
    share_orders(linears);
    for (const LayerNorm norm : {LayerNorm::Attention, LayerNorm::Mlp})
      stored.add_ones(prefix + llama.norms[size_t(norm)] + ".weight", shape_.hidden);
    return write_one(layer, linears, stored, {});
  }

  Status write_rest() {
    const Architecture& llama = architectures()[0];
    Tensors stored(pool_);
    std::vector<NamedLinear> tables;
    const Sides sides{shape_.vocabulary, shape_.hidden};
    for (const std::string name : {llama.embedding, llama.head}) {
      if (form_.tables == "f16") {
        stored.add_matrix(name, sides, ++seed_);
        continue;
      }
      SIGNUM_TAKE(PackedLinear table, random_linear(form_.tables, sides));
      if (table.layout.method != Method::Rtn) return no_such(form_.tables);
      tables.push_back({table_name(name), std::move(table)});
    }
    stored.add_ones(std::string(llama.final_norm) + ".weight", shape_.hidden);
    return write_one(shape_.layers, {}, stored, tables);
  }

  static Error no_such(const std::string& form) {
    return {"recipe_invalid", "There is no random form '" + form + "'.", ""};
  }
  Result<PackedLinear> random_linear(const std::string& form, Sides sides) {
    const auto layout = layout_named(form, sides.rows, sides.columns);
    if (!layout) return no_such(form);
    return random_packed(*layout, sides.spread(), ++seed_);
  }

  Status write_one(size_t index, const std::vector<NamedLinear>& linears, const Tensors& stored,
                   const std::vector<NamedLinear>& tables) {
    const std::string name = shard_name(index, shape_.layers + 1), path = folder_ + "/" + name;
    if (packed()) return write_shard(path, linears, {}, stored.list(), fingerprint_, tables);
    for (const TensorToWrite& tensor : stored.list()) {
      places_[tensor.name] = name;
      total_ += tensor.bytes.size();
    }
    return write_safetensors(path, stored.list(), {{"format", "pt"}}, false);
  }

  const std::string folder_;
  const ModelShape shape_;
  const ModelForm form_;
  ThreadPool& pool_;
  Fingerprint fingerprint_;
  uint64_t seed_ = 0;
  Json places_ = Json::object();
  uint64_t total_ = 0;
};

}  // namespace

Status write_random_model(const std::string& folder, const ModelShape& shape, const ModelForm& form,
                          ThreadPool& pool) {
  if (form.linears == "f16" && form.tables != "f16")
    return Error{"recipe_invalid", "Tables are packed only where the linears are.", ""};
  return Writer(folder, shape, form, pool).write();
}

}  // namespace signum::bench
