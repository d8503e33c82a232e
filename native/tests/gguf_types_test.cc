// ggml's types, block by block. That ggml reads and makes the same bytes is tested in electron/exports.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "base/half.h"
#include "export/gguf_blocks.h"
#include "tests/recorded_run.h"
#include "tests/tiny_export.h"

using namespace signum;

namespace {

constexpr GgufType kBlocks[] = {GgufType::Q1_0, GgufType::Q2_0, GgufType::Q4_0, GgufType::Q8_0};

// A block of whole numbers of the type times a scale.
std::vector<float> multiples(GgufType type, float scale, std::mt19937& random) {
  const GgufBlockForm form = gguf_block_form(type);
  std::vector<float> values(gguf_traits(type).block);
  for (float& value : values) {
    const int q = form.least + int(random() % uint32_t(form.most - form.least + 1));
    value = scale * float(form.bits == 1 ? (q > 0 ? 1 : -1) : q);
  }
  return values;
}

std::vector<float> through(GgufType type, const std::vector<float>& values) {
  std::vector<uint8_t> bytes(gguf_traits(type).bytes);
  REQUIRE(gguf_encode(type, values.data(), values.size(), bytes.data()));
  std::vector<float> out(values.size());
  gguf_decode(type, bytes.data(), out.size(), out.data());
  return out;
}

}  // namespace

TEST_CASE("a block of whole numbers times a scale is exact: any F16 scale, of either sign") {
  std::mt19937 random(5);
  for (const GgufType type : kBlocks) {
    CAPTURE(gguf_traits(type).name);
    for (int i = 0; i < 2000; ++i) {
      const float scale = half_to_float(uint16_t(random() % 0x6000 + 1) | uint16_t(random() % 2 << 15));
      const std::vector<float> values = multiples(type, scale, random);
      REQUIRE(fit_gguf_block(type, values.data()));
      CHECK(through(type, values) == values);
    }
  }
}

TEST_CASE("what is not exact does not fit, however near it is") {
  std::mt19937 random(6);
  for (const GgufType type : kBlocks) {
    CAPTURE(gguf_traits(type).name);
    std::vector<float> values = multiples(type, 0.5f, random);
    values[0] = 0.5f;
    values[3] = std::nextafter(0.5f, 1.0f);
    CHECK_FALSE(fit_gguf_block(type, values.data()));
    // A scale that F16 does not hold.
    CHECK_FALSE(fit_gguf_block(type, std::vector<float>(values.size(), 0.1f).data()));
    CHECK_FALSE(fit_gguf_block(type, std::vector<float>(values.size(), 1e9f).data()));
  }
  std::vector<float> four(64, 1);
  four[0] = -2;
  CHECK(fit_gguf_block(GgufType::Q2_0, four.data()));  // d = -1
  four[1] = 2;
  CHECK_FALSE(fit_gguf_block(GgufType::Q2_0, four.data()));  // five levels
  std::vector<float> with_zero(128, 1);
  with_zero[5] = 0;
  CHECK_FALSE(fit_gguf_block(GgufType::Q1_0, with_zero.data()));
}

TEST_CASE("zeros are zeros, and -0 is no matter") {
  for (const GgufType type : kBlocks) {
    std::vector<float> zeros(gguf_traits(type).block, 0.0f);
    zeros[1] = -0.0f;
    CHECK(through(type, zeros) == std::vector<float>(zeros.size(), 0.0f));
  }
}

TEST_CASE("numbers below every scale become zeros") {
  for (const GgufType type : {GgufType::Q8_0, GgufType::Q4_0})
    for (const float tiny : {1e-45f, -1e-39f, 1e-37f, 1e-20f}) {
      const std::vector<float> values(32, tiny);
      const std::vector<float> stored = through(type, values);
      CHECK(stored == std::vector<float>(32, 0.0f));
      CHECK(gguf_near(type, values.data(), stored.data(), 32));
    }
}

TEST_CASE("Q8_0 and Q4_0 round what does not fit, as near as they say; one and two bits do not") {
  std::mt19937 random(7);
  std::normal_distribution<float> bell;
  for (int i = 0; i < 500; ++i) {
    std::vector<float> values(32);
    for (float& value : values) value = bell(random);
    for (const GgufType type : {GgufType::Q8_0, GgufType::Q4_0}) {
      const std::vector<float> stored = through(type, values);
      CHECK(gguf_near(type, values.data(), stored.data(), 32));
      CHECK(stored != values);
      std::vector<float> wrong = stored;
      wrong[i % 32] += type == GgufType::Q8_0 ? 0.05f : 1.5f;
      CHECK_FALSE(gguf_near(type, values.data(), wrong.data(), 32));
    }
  }
  std::vector<float> any(128);
  for (float& value : any) value = bell(random);
  std::vector<uint8_t> bytes(64);
  CHECK_FALSE(gguf_encode(GgufType::Q1_0, any.data(), 128, bytes.data()));
  CHECK_FALSE(gguf_encode(GgufType::Q2_0, any.data(), 128, bytes.data()));
  any[0] = 1e8f;  // / 127 is beyond F16
  CHECK_FALSE(gguf_encode(GgufType::Q8_0, any.data(), 128, std::vector<uint8_t>(136).data()));
}

TEST_CASE("exact fit chooses by tensor, and says why nothing smaller") {
  TinyModel model = random_tiny_model(3);
  model.hidden = model.heads * model.head_dim + 4;  // 64: whole blocks of Q2_0, half a block of Q1_0
  model.intermediate = 128;
  model.tensors.clear();
  randomize(model, 3);
  const auto set = [&](const std::string& name, const std::vector<float>& levels) {
    std::vector<float>& values = model.tensors.at("model.layers.0." + name + ".weight").values;
    for (size_t i = 0; i < values.size(); ++i) values[i] = levels[i * 7 % levels.size()];
  };
  set("mlp.down_proj", {-0.25, 0.25});
  set("mlp.up_proj", {-0.5, 0, 0.5, 1});
  set("mlp.gate_proj", {-3, 0.5, 2});
  set("self_attn.q_proj", {1, -60, 3});
  const TinyExport tiny(model);
  const auto done = tiny.run(kSilent, std::nullopt);
  REQUIRE_MESSAGE(done.ok(), end_of(done));
  std::map<std::string, std::pair<std::string, std::string>> chosen;
  for (const ChosenType& one : done.value().chosen) chosen[one.tensor] = {one.type, one.reason};
  CHECK(chosen.size() == 2 + 2 * 7);
  CHECK(chosen["blk.0.ffn_down.weight"] == std::pair<std::string, std::string>("Q1_0", "fits"));
  CHECK(chosen["blk.0.ffn_up.weight"] ==
        std::pair<std::string, std::string>("Q2_0", "does not fit Q1_0 (rows of 64)"));
  CHECK(chosen["blk.0.ffn_gate.weight"].first == "Q4_0");
  CHECK(chosen["blk.0.attn_q.weight"].first == "Q8_0");
  CHECK(chosen["blk.1.attn_q.weight"] ==
        std::pair<std::string, std::string>(
            "F16", "does not fit Q1_0 (rows of 64), Q2_0 (row 0), Q4_0 (row 0), Q8_0 (row 0)"));
  for (const ChosenType& one : done.value().chosen) CHECK(one.error.exact() == (one.type != "F16"));
  const ReadGguf file = GgufReader(tiny.output()).read();
  CHECK(file.tensors.at("blk.0.ffn_up.weight").type == 42);
  CHECK(file.tensors.at("blk.0.ffn_up.weight").values ==
        values_of(model, "model.layers.0.mlp.up_proj.weight"));
}

TEST_CASE("rows that are no whole blocks get F16, and that is said") {
  const TinyExport tiny;  // rows of 24, 40 and 60
  const auto done = tiny.run(kSilent, GgufType::Q8_0);
  REQUIRE_MESSAGE(done.ok(), end_of(done));
  CHECK(done.value().chosen.size() == 2 + 2 * 7);
  CHECK(done.value().chosen[0].type == "F16");
  CHECK(done.value().chosen[0].reason == "rows of 24 are no whole blocks of 32");
}
