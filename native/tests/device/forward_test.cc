// Whole models on the card against the CPU: every family's layers, inputs and logits, with weights of each
// dtype, and tokens that go on behind a cache.
#include <doctest/doctest.h>

#include <cstdlib>

#include "base/pool.h"
#include "cuda/model/device_layer.h"
#include "cuda/model/ends.h"
#include "model/ends.h"
#include "on_card.h"
#include "run/device_memory.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/tiny_families.h"

using namespace signum;

namespace {

// F32 [rows, columns] on the card, without gaps.
Matrix brought(cuda::DeviceView<const float> view) {
  const cuda::DeviceMatrix dense(test_device(), view.rows, view.columns, "a test");
  copy_rows(test_device(), view, dense.view());
  return from_card(dense);
}

struct Seen {
  LinearInput input;
  Matrix x, stream;
};

// Everything that a layer shows on both, for two sequences.
void check_layers(const Model& model, const std::vector<uint32_t>& tokens, size_t length) {
  ThreadPool pool(2);
  const size_t hidden = model.config().hidden;
  Matrix x(tokens.size(), hidden);
  REQUIRE(embed(model, tokens, length, x.view(), pool).ok());
  const auto embedding = cuda::DeviceEmbedding::load(test_card(), model, pool);
  cuda::DeviceMatrix there(test_device(), tokens.size(), hidden, "a test");
  embedding.embed(test_card(), tokens, there.view(), {.length = length}, pool);
  CHECK(apart(from_card(there), x) < 1e-6);
  ForwardBuffers buffers;
  cuda::BlockBuffers buffers_there;
  cuda::LayerReader reader(test_card(), model);
  for (size_t index = 0; index < model.config().layers; ++index) {
    CAPTURE(index);
    const DecoderLayer layer = loaded(model, index, pool);
    const auto layer_there = reader.load(index, pool);
    reader.read_ahead(index + 1);
    std::vector<Seen> expected;
    Matrix out(x.rows(), hidden);
    layer.forward(x.view(), length, out.view(), buffers, pool,
                  [&](LinearInput input, ConstView seen, ConstView stream) {
                    expected.push_back(
                        {input, Matrix::copy_of(seen), stream.data ? Matrix::copy_of(stream) : Matrix()});
                  });
    size_t given = 0;
    const auto sink = [&](LinearInput input, cuda::DeviceView<const float> seen,
                          cuda::DeviceView<const float> stream) {
      REQUIRE(given < expected.size());
      const Seen& one = expected[given++];
      CHECK(input == one.input);
      CHECK(apart(brought(seen), one.x) < 2e-5);
      REQUIRE((stream.data != nullptr) == (one.stream.size() > 0));
      if (stream.data) CHECK(apart(brought(stream), one.stream) < 2e-5);
    };
    layer_there.forward(test_card(), there.view(), length, {}, buffers_there, sink, LinearInput::Mlp);
    CHECK(given == 3);
    given = 0;
    layer_there.forward(test_card(), there.view(), length, there.view(), buffers_there, sink);
    CHECK(given == 4);
    CHECK(apart(from_card(there), out) < 2e-5);
    x = std::move(out);
  }
  // What a run's memory plan counts on.
  const auto recipe = RunRecipe::from_json(tiny_recipes().at("rtn"));
  REQUIRE(recipe.ok());
  CHECK(buffers_there.bytes() == cuda::block_floats(model.config()) * tokens.size() * sizeof(float));
  CHECK(cuda::block_floats(model.config()) == memory_question(model, recipe.value(), nullptr).forward_floats);

  auto head = Head::load(model, pool);
  REQUIRE(head.ok());
  const auto head_there = cuda::DeviceHead::load(test_card(), model, pool);
  REQUIRE(head_there.vocabulary() == head.value().vocabulary());
  Matrix logits(x.rows(), head.value().vocabulary());
  head.value().logits(x.view(), logits.view(), pool);
  const cuda::DeviceMatrix logits_there(test_device(), logits.rows(), logits.columns(), "a test");
  cuda::EndsRoom room;
  head_there.logits(test_card(), room, there.view(), logits_there.view());
  CHECK(apart(from_card(logits_there), logits) < 1e-4);
}

}  // namespace

TEST_CASE("every family") {
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    TemporaryFolder folder;
    const auto model = opened(family.model, folder);
    check_layers(*model, random_tokens(2 * 75, family.model.vocabulary, 6), 75);
  }
}

TEST_CASE("weights of 16 bits") {
  const char* data = std::getenv("SIGNUM_TEST_DATA");
  REQUIRE(data);
  const auto model = opened(std::string(data) + "/models/llama-mix-1m");
  check_layers(*model, random_tokens(2 * 20, model->config().vocabulary, 7), 20);
}

TEST_CASE("a linear's weight is what the CPU reads, and can be replaced") {
  TemporaryFolder folder;
  const auto model = opened(random_tiny_model(3), folder);
  ThreadPool pool(1);
  auto layer = cuda::DeviceLayer::load(test_card(), *model, 1, pool);
  const auto linears = model->linears_of(1);
  for (size_t i = 0; i < linears.size(); ++i) {
    const auto expected = model->weight(linears[i], pool);
    REQUIRE(expected.ok());
    CHECK(apart(from_card(layer.weight(test_card(), i)), expected.value()) == 0);
    auto weight = layer.take(test_card(), i);
    scale_rows(test_device(), weight.view(), 2);
    layer.replace(i, std::move(weight));
    const Matrix doubled = from_card(layer.weight(test_card(), i));
    CHECK(doubled(0, 0) == 2 * expected.value()(0, 0));
  }
}

TEST_CASE("NaN in a weight is refused, read ahead or not") {
  TinyModel tiny = random_tiny_model(4);
  tiny.tensors["model.layers.1.mlp.up_proj.weight"].values[5] = std::nanf("");
  TemporaryFolder folder;
  const auto model = opened(tiny, folder);
  ThreadPool pool(1);
  for (const bool ahead : {false, true}) {
    cuda::LayerReader reader(test_card(), *model);
    CHECK(reader.load(0, pool).layer() == 0);
    if (ahead) reader.read_ahead(1);
    const auto refused = cuda::guarded([&] { return reader.load(1, pool).layer(); });
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == "weights_not_finite");
    CHECK(refused.error().message.find("up_proj") != std::string::npos);
  }
}

TEST_CASE("tokens behind a cache") {
  for (const TinyFamily& family : {tiny_llama3(), tiny_gemma2(), tiny_opt(true, true, 60)}) {
    CAPTURE(family.name);
    TemporaryFolder folder;
    const auto model = opened(family.model, folder);
    const ModelConfig& config = model->config();
    ThreadPool pool(2);
    const size_t capacity = 64, kv_width = config.kv_heads * config.head_dim;
    const auto tokens = random_tokens(49, config.vocabulary, 9);
    KeyValueCache cache(config, capacity);
    cuda::DeviceMatrix keys(test_device(), config.layers * capacity, kv_width, "a test");
    cuda::DeviceMatrix values(test_device(), config.layers * capacity, kv_width, "a test");
    cuda::Array<uint32_t> past_there(test_device(), 1, "a test");
    ForwardBuffers buffers;
    cuda::BlockBuffers buffers_there;
    const auto embedding = cuda::DeviceEmbedding::load(test_card(), *model, pool);
    REQUIRE(embedding.on_card());
    std::vector<DecoderLayer> layers;
    std::vector<cuda::DeviceLayer> layers_there;
    for (size_t i = 0; i < config.layers; ++i) {
      layers.push_back(loaded(*model, i, pool));
      layers_there.push_back(cuda::DeviceLayer::load(test_card(), *model, i, pool));
    }
    // A prompt, some more, and tokens one by one: with the past given and with the past on the card.
    size_t past = 0;
    for (const size_t count : {40, 6, 1, 1, 1}) {
      CAPTURE(past);
      const std::span some = std::span(tokens).subspan(past, count);
      Matrix x(count, config.hidden);
      REQUIRE(embed(*model, some, count, x.view(), pool, past).ok());
      cuda::DeviceMatrix there(test_device(), count, config.hidden, "a test");
      const bool on_the_card = past >= 47;
      const std::vector<uint32_t> past_here = {uint32_t(past)};
      past_there.upload(past_here);
      const cuda::Places places{.length = count,
                                .past = on_the_card ? 0 : past,
                                .past_on_card = on_the_card ? past_there.data() : nullptr};
      cuda::Array<uint32_t> ids(test_device(), count, "a test");
      ids.upload(some);
      cuda::EndsRoom room;
      embedding.embed(test_card(), room, ids.data(), there.view(), places);
      for (size_t i = 0; i < config.layers; ++i) {
        layers[i].extend(x.view(), cache, buffers, pool);
        layers_there[i].extend(
            test_card(), there.view(),
            {keys.view().block(i * capacity, 0, capacity, kv_width),
             values.view().block(i * capacity, 0, capacity, kv_width), places.past, places.past_on_card},
            buffers_there);
      }
      CHECK(apart(from_card(there), x) < 5e-5);
      cache.grow(count);
      past += count;
    }
  }
}
