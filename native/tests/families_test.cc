// Every family against its forward pass in F64: small random models in which each part matters.
#include <doctest/doctest.h>

#include "base/pool.h"
#include "evaluate/logits.h"
#include "model/decoder_layer.h"
#include "model/ends.h"
#include "tests/opened_model.h"
#include "tests/tiny_families.h"

using signum::ConstView;
using signum::DecoderLayer;
using signum::LinearInput;
using signum::Matrix;
using signum::Model;
using signum::ThreadPool;

namespace {

// Squared differences over squared values.
double nmse(ConstView a, const Rows& b, size_t first_row = 0) {
  double difference = 0, total = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    REQUIRE(a.columns == b[i].size());
    for (size_t j = 0; j < a.columns; ++j) {
      difference += std::pow(double(a(first_row + i, j)) - b[i][j], 2);
      total += b[i][j] * b[i][j];
    }
  }
  return difference / total;
}

}  // namespace

TEST_CASE("logits of every family, against F64") {
  ThreadPool pool(2);
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    TemporaryFolder folder;
    const auto model = opened(family.model, folder);
    CHECK(model->notes().empty());
    size_t numbers = 0;
    for (const auto& [name, tensor] : family.model.tensors) numbers += tensor.values.size();
    CHECK(model->parameters() == numbers);
    const auto tokens = random_tokens(150, family.model.vocabulary, 5);  // more than two tiles of queries
    const auto logits = signum::logits(*model, tokens, pool);
    REQUIRE(logits.ok());
    const double error = nmse(logits.value().view(), family.logits(tokens));
    MESSAGE(family.name << ": NMSE of the logits " << error);
    CHECK(error < 1e-10);
  }
}

TEST_CASE("every linear input and layer output of every family, sequences side by side, against F64") {
  ThreadPool pool(2);
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    TemporaryFolder folder;
    const auto model = opened(family.model, folder);
    const size_t length = 75, sequences = 2;
    const auto tokens = random_tokens(length * sequences, family.model.vocabulary, 6);
    Matrix x(tokens.size(), family.model.hidden);
    REQUIRE(signum::embed(*model, tokens, length, x.view(), pool).ok());
    std::vector<Rows> naive;
    for (size_t s = 0; s < sequences; ++s)
      naive.push_back(
          family.embed(family.model, {tokens.begin() + s * length, tokens.begin() + (s + 1) * length}));
    signum::ForwardBuffers buffers;
    for (size_t index = 0; index < family.model.layers; ++index) {
      CAPTURE(index);
      std::vector<NaiveLayer> expected;
      for (const Rows& input : naive) expected.push_back(family.layer(family.model, index, input));
      const auto layer = DecoderLayer::load(*model, index, pool);
      REQUIRE(layer.ok());
      size_t given = 0;
      // In place: the output takes the input's memory.
      layer.value().forward(
          x.view(), length, x.view(), buffers, pool,
          [&](LinearInput which, ConstView seen, ConstView stream) {
            CHECK(size_t(which) == given++);
            CHECK(seen.columns == model->input_width(which));
            for (size_t s = 0; s < sequences; ++s) {
              const Rows* rows[] = {&expected[s].attention_input, &expected[s].attention_output,
                                    &expected[s].mlp_input, &expected[s].mlp_hidden};
              CHECK(nmse(seen, *rows[size_t(which)], s * length) < 1e-10);
              CHECK((stream.data != nullptr) == family.adds_outputs(which));
              if (!stream.data) continue;
              // The first branch is added to the layer's input, the second to what came of that.
              const Rows& before = which == LinearInput::MlpHidden ? expected[s].middle : naive[s];
              CHECK(nmse(stream, before, s * length) < 1e-10);
            }
          });
      CHECK(given == 4);
      for (size_t s = 0; s < sequences; ++s) {
        CHECK(nmse(x.view(), expected[s].output, s * length) < 1e-10);
        naive[s] = expected[s].output;
      }
    }
  }
}

TEST_CASE("options that change what a model computes") {
  struct Change {
    TinyFamily family;
    std::string option, value;
  };
  const Change changes[] = {
      {tiny_llama3(), "rope_scaling", "null"},
      {tiny_llama_linear(), "rope_scaling", R"({"type": "linear", "factor": 3.9})"},
      {tiny_mistral(40), "sliding_window", "41"},
      {tiny_mistral(40), "sliding_window", "null"},
      {tiny_qwen2(true), "max_window_layers", "2"},
      {tiny_qwen2(true), "use_sliding_window", "false"},
      {tiny_gemma2(), "attn_logit_softcapping", "null"},
      {tiny_gemma2(), "final_logit_softcapping", "null"},
      {tiny_gemma2(), "query_pre_attn_scalar", "8"},
      {tiny_gemma2(), "sliding_window", "39"},
      {tiny_gemma3(false), "rope_local_base_freq", "310.0"},
      {tiny_gemma3(false), "rope_scaling", "null"},
      {tiny_gemma3(false), "sliding_window_pattern", "2"},
      {tiny_opt(true, true, 60), "_remove_final_layer_norm", "true"},
  };
  ThreadPool pool(2);
  const auto tokens = random_tokens(60, 37, 8);
  for (const Change& change : changes) {
    CAPTURE(change.family.name);
    CAPTURE(change.option);
    TemporaryFolder folder;
    TinyModel other = change.family.model;
    other.options[change.option] = change.value;
    const auto logits = signum::logits(*opened(other, folder), tokens, pool);
    REQUIRE(logits.ok());
    CHECK(nmse(logits.value().view(), change.family.logits(tokens)) > 1e-6);
  }
}

TEST_CASE("every family: the same bytes with 1, 2 and 5 threads") {
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    TemporaryFolder folder;
    const auto model = opened(family.model, folder);
    const auto tokens = random_tokens(150, family.model.vocabulary, 7);
    std::vector<Matrix> results;
    for (const size_t threads : {1, 2, 5}) {
      ThreadPool pool(threads);
      auto logits = signum::logits(*model, tokens, pool);
      REQUIRE(logits.ok());
      results.push_back(std::move(logits).value());
      CHECK(std::memcmp(results[0].data(), results.back().data(), results[0].size() * sizeof(float)) == 0);
    }
  }
}
