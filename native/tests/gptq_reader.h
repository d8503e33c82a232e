// A reader of the GPTQ checkpoint format that shares nothing with the writer: it unpacks as the torch kernel
// of AutoGPTQ does (shifts and masks over whole words; the two codes of 3 bits that lie across words put
// together from their parts).
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "file/safetensors.h"
#include "tests/tiny_model.h"

struct GptqReader {
  std::shared_ptr<signum::SafetensorsFile> file;
  nlohmann::json config;

  explicit GptqReader(const std::string& folder)
      : file(signum::SafetensorsFile::open(folder + "/model.safetensors").value()),
        config(nlohmann::json::parse(read_bytes(folder + "/config.json"))["quantization_config"]) {
    REQUIRE(config == nlohmann::json::parse(read_bytes(folder + "/quantize_config.json")));
    REQUIRE(config["quant_method"] == "gptq");
  }

  // [outputs, inputs], row by row.
  std::vector<float> weights(const std::string& linear) const {
    const int bits = config["bits"];
    const auto& qweight = tensor(linear + ".qweight", signum::DType::I32);
    const auto& qzeros = tensor(linear + ".qzeros", signum::DType::I32);
    const auto& scales = tensor(linear + ".scales", signum::DType::F16);
    const auto& g_idx = tensor(linear + ".g_idx", signum::DType::I32);
    const size_t in = g_idx.shape[0], out = qweight.shape[1], groups = scales.shape[0];
    REQUIRE(qweight.shape == std::vector<size_t>{in / 32 * bits + in % 32 * bits / 32, out});
    REQUIRE(qzeros.shape == std::vector<size_t>{groups, out * bits / 32});
    REQUIRE(scales.shape[1] == out);
    const int less = config["checkpoint_format"] == "gptq_v2" ? 0 : 1;
    REQUIRE((less == 0 || config["checkpoint_format"] == "gptq"));
    std::vector<int> zeros;  // [groups, out]
    for (size_t g = 0; g < groups; ++g) {
      std::vector<uint32_t> words;
      for (size_t w = 0; w < qzeros.shape[1]; ++w) words.push_back(word(qzeros, g * qzeros.shape[1] + w));
      for (const int zero : unpacked(words, bits)) zeros.push_back(zero + less);
    }
    std::vector<float> weights(out * in);
    for (size_t i = 0; i < out; ++i) {
      std::vector<uint32_t> words;
      for (size_t w = 0; w < qweight.shape[0]; ++w) words.push_back(word(qweight, w * out + i));
      const std::vector<int> codes = unpacked(words, bits);
      REQUIRE(codes.size() == in);
      for (size_t j = 0; j < in; ++j) {
        const size_t at = word(g_idx, j) * out + i;
        weights[i * in + j] = half(scales, at) * float(codes[j] - zeros.at(at));
      }
    }
    return weights;
  }

  const signum::TensorView& tensor(const std::string& name, signum::DType type) const {
    CAPTURE(name);
    const signum::TensorView* found = file->find(name);
    REQUIRE(found);
    REQUIRE(found->dtype == type);
    return *found;
  }

 private:
  static uint32_t word(const signum::TensorView& tensor, size_t index) {
    uint32_t value;
    std::memcpy(&value, tensor.bytes.data() + 4 * index, 4);
    return value;
  }
  static float half(const signum::TensorView& tensor, size_t index) {
    uint16_t value;
    std::memcpy(&value, tensor.bytes.data() + 2 * index, 2);
    return signum::half_to_float(value);
  }

  static std::vector<int> unpacked(const std::vector<uint32_t>& words, int bits) {
    std::vector<int> out;
    if (bits != 3) {
      for (const uint32_t w : words)
        for (int shift = 0; shift < 32; shift += bits) out.push_back(int(w >> shift) & ((1 << bits) - 1));
      return out;
    }
    REQUIRE(words.size() % 3 == 0);
    for (size_t k = 0; k < words.size(); k += 3) {
      const uint32_t a = words[k], b = words[k + 1], c = words[k + 2];
      for (int i = 0; i < 10; ++i) out.push_back(int(a >> (3 * i) & 7));
      out.push_back(int((a >> 30 & 3) | (b << 2 & 4)));
      for (int i = 0; i < 10; ++i) out.push_back(int(b >> (3 * i + 1) & 7));
      out.push_back(int((b >> 31 & 1) | (c << 1 & 6)));
      for (int i = 0; i < 10; ++i) out.push_back(int(c >> (3 * i + 2) & 7));
    }
    return out;
  }
};
