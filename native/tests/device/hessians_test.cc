// Activations in every place, and Hessians on the card against the CPU's.
#include "cuda/model/hessians.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/pool.h"
#include "calibrate/paired.h"
#include "on_card.h"
#include "tests/opened_model.h"
#include "tests/tiny_families.h"

using namespace signum;
using cuda::BatchStream;
using cuda::DeviceActivations;

namespace {

constexpr ActivationPlace kPlaces[] = {ActivationPlace::Device, ActivationPlace::Pinned,
                                       ActivationPlace::Disk};

Matrix all_of(DeviceActivations& activations) {
  Matrix all(activations.sequences() * activations.length(), activations.hidden());
  BatchStream batches(activations, BatchStream::Read);
  while (batches.next())
    test_device().download(all.row(batches.first() * activations.length()), batches.view().data,
                           batches.view().rows * activations.hidden() * sizeof(float));
  batches.finish();
  return all;
}

// Two sequences in a batch, three in all, of a model whose context is long enough.
constexpr size_t kLength = 1366, kSequences = 3;

TinyModel two_heads(TinyModel model, uint32_t seed) {
  model.heads = 2;
  model.kv_heads = 1;
  model.context = kLength;
  randomize(model, seed);
  return model;
}

// A layer with a linear that is another one.
struct Layers {
  DecoderLayer here;
  cuda::DeviceLayer there;
};
Layers changed(const Model& model, size_t index, ThreadPool& pool) {
  Layers layers{loaded(model, index, pool), cuda::DeviceLayer::load(test_card(), model, index, pool)};
  Matrix other = layers.here.weight(0).clone();
  for (size_t i = 0; i < other.size(); ++i) other.data()[i] += i % 2 == 0 ? 0.1f : -0.1f;
  layers.there.replace(0, on_card(other));
  layers.here.replace(0, std::move(other));
  return layers;
}

}  // namespace

TEST_CASE("activations go where there is room") {
  // 10 sequences of 8 tokens, 16 wide: 5,120 bytes.
  const auto place = [](uint64_t device, uint64_t host) {
    return cuda::activation_place(10, 8, 16, {.device_bytes = device, .host_bytes = host});
  };
  CHECK(place(5120, 0) == ActivationPlace::Device);
  CHECK(place(5119, 5120) == ActivationPlace::Pinned);
  CHECK(place(5119, 5119) == ActivationPlace::Disk);
  // No overflow where sizes are large.
  CHECK(cuda::activation_place(1 << 20, 1 << 20, 1 << 16, {.device_bytes = 1, .host_bytes = 1}) ==
        ActivationPlace::Disk);
  CHECK(cuda::activation_bytes_on_card(10, 8, 16, ActivationPlace::Device) == 5120);
  // Two batches of two sequences, or what there is.
  CHECK(cuda::activation_bytes_on_card(10, 2048, 16, ActivationPlace::Pinned) == 4 * 2048 * 64);
  CHECK(cuda::activation_bytes_on_card(3, 2048, 16, ActivationPlace::Disk) == 3 * 2048 * 64);
  CHECK(cuda::activation_bytes_on_card(1, 2048, 16, ActivationPlace::Disk) == 2048 * 64);
}

TEST_CASE("batches come and go in every place, and what stays on the card is what was said") {
  const size_t length = 2048, hidden = 3;  // two sequences a batch
  for (const ActivationPlace place : kPlaces)
    for (const size_t sequences : {1, 2, 3, 4, 5, 7}) {
      CAPTURE(sequences);
      CAPTURE(kActivationPlaceNames[size_t(place)]);
      const uint64_t before = test_device().used_bytes();
      auto activations = DeviceActivations::create(test_card(), sequences, length, hidden, place, {});
      const Matrix numbers = random_matrix(sequences * length, hidden, uint32_t(sequences));
      {
        BatchStream batches(activations, BatchStream::Write);
        size_t done = 0;
        while (batches.next()) {
          CHECK(batches.first() == done);
          done = batches.done();
          test_device().upload(batches.view().data, numbers.row(batches.first() * length),
                               batches.view().rows * hidden * sizeof(float));
        }
        CHECK(done == sequences);
        batches.finish();
        CHECK(test_device().used_bytes() - before ==
              cuda::activation_bytes_on_card(sequences, length, hidden, place));
      }
      CHECK(apart(all_of(activations), numbers) == 0);
      for (const BatchStream::Use use : {BatchStream::Read, BatchStream::Keep}) {
        BatchStream batches(activations, use);
        while (batches.next()) scale_rows(test_device(), batches.view(), 2);
        batches.finish();
        // What was only read has not changed on the host; on the card there is but one.
        Matrix expected = numbers.clone();
        const bool twice = use == BatchStream::Keep || place == ActivationPlace::Device;
        const float factor = !twice                                                         ? 1
                             : use == BatchStream::Keep && place == ActivationPlace::Device ? 4
                                                                                            : 2;
        for (size_t i = 0; i < expected.size(); ++i) expected.data()[i] *= factor;
        CHECK(apart(all_of(activations), expected) == 0);
      }
      const std::vector<uint32_t> rows = {uint32_t(sequences * length - 1), 0, 7};
      const cuda::DeviceMatrix gathered(test_device(), rows.size(), hidden, "a test");
      activations.gather(test_card(), rows, gathered.view());
      const Matrix all = all_of(activations);
      for (size_t i = 0; i < rows.size(); ++i)
        CHECK(apart(from_card(gathered).view().block(i, 0, 1, hidden),
                    all.view().block(rows[i], 0, 1, hidden)) == 0);
    }
}

TEST_CASE("Hessians and the layer's output are the CPU's, in every place") {
  TemporaryFolder folder;
  const auto model = opened(two_heads({}, 21), folder);
  ThreadPool pool(2);
  const auto tokens = random_tokens(kSequences * kLength, model->config().vocabulary, 22);
  Activations here = embedded(*model, tokens, kLength, pool);
  ForwardBuffers buffers;
  cuda::BlockBuffers buffers_there;
  const DecoderLayer layer = loaded(*model, 0, pool);
  const auto layer_there = cuda::DeviceLayer::load(test_card(), *model, 0, pool);
  const auto expected = collect_hessians(layer, here, buffers, pool);
  REQUIRE(expected.ok());
  REQUIRE(advance(layer, here, buffers, pool).ok());
  std::vector<Matrix> first;
  for (const ActivationPlace place : kPlaces) {
    auto there = DeviceActivations::embedded(test_card(), *model, tokens, kLength, place, {}, pool);
    std::vector<size_t> told;
    const auto progress = [&](size_t done, size_t total) {
      CHECK(total == kSequences);
      told.push_back(done);
    };
    const auto hessians = collect_hessians(test_card(), layer_there, there, buffers_there, progress);
    CHECK(told == std::vector<size_t>{2, 3});
    for (size_t which = 0; which < kLinearInputs; ++which) {
      const Matrix got = from_card(hessians.by_input[which]);
      CHECK(apart(got, expected.value().by_input[which]) < 1e-5);
      for (size_t i = 0; i < got.rows(); ++i)
        for (size_t j = 0; j < i; ++j) REQUIRE(got(i, j) == got(j, i));
      // The same bytes wherever the activations are.
      if (place == kPlaces[0]) first.push_back(got.clone());
      CHECK(apart(got, first[which]) == 0);
    }
    advance(test_card(), layer_there, there, buffers_there, progress);
    CHECK(apart(all_of(there), Matrix::copy_of(std::as_const(here).batch(0, kSequences))) < 2e-5);
  }
}

TEST_CASE("inputs in two models at once") {
  for (const TinyFamily& family : {tiny_mistral(0), tiny_gemma2()}) {
    CAPTURE(family.name);
    TemporaryFolder folder;
    const auto model = opened(family.model, folder);
    ThreadPool pool(2);
    const size_t length = 50, sequences = 3;
    const auto tokens = random_tokens(sequences * length, model->config().vocabulary, 23);
    Activations original = embedded(*model, tokens, length, pool);
    Activations quantized = embedded(*model, tokens, length, pool);
    const auto embedded_there = [&](ActivationPlace place) {
      return DeviceActivations::embedded(test_card(), *model, tokens, length, place, {}, pool);
    };
    auto original_there = embedded_there(ActivationPlace::Pinned);
    auto quantized_there = embedded_there(ActivationPlace::Device);
    ForwardBuffers buffers;
    cuda::BlockBuffers buffers_there;
    {  // past a layer that differs
      const DecoderLayer layer = loaded(*model, 0, pool);
      const auto layer_there = cuda::DeviceLayer::load(test_card(), *model, 0, pool);
      const Layers other = changed(*model, 0, pool);
      REQUIRE(advance(layer, original, buffers, pool).ok());
      REQUIRE(advance(other.here, quantized, buffers, pool).ok());
      advance(test_card(), layer_there, original_there, buffers_there);
      advance(test_card(), other.there, quantized_there, buffers_there);
    }
    const DecoderLayer layer = loaded(*model, 1, pool);
    const auto layer_there = cuda::DeviceLayer::load(test_card(), *model, 1, pool);
    const Layers other = changed(*model, 1, pool);
    for (size_t which = 0; which < kLinearInputs; ++which) {
      CAPTURE(which);
      const auto input = LinearInput(which);
      const auto expected = collect_paired({layer, original, other.here, quantized}, input, buffers, pool);
      REQUIRE(expected.ok());
      const auto got = collect_paired(
          test_card(), {layer_there, original_there, other.there, quantized_there}, input, buffers_there);
      CHECK(apart(from_card(got.hessian), expected.value().hessian) < 1e-5);
      CHECK(apart(from_card(got.cross), expected.value().cross) < 1e-4);  // of differences
      REQUIRE(bool(got.residual) == (expected.value().residual.size() > 0));
      if (got.residual) CHECK(apart(from_card(got.residual), expected.value().residual) < 1e-4);
    }
  }
}

TEST_CASE("activations that are not finite are named as on the CPU") {
  TinyModel tiny = random_tiny_model(24);
  for (float& value : tiny.tensors["model.layers.1.mlp.down_proj.weight"].values) value = 3e38f;
  TemporaryFolder folder;
  const auto model = opened(tiny, folder);
  ThreadPool pool(1);
  const auto tokens = random_tokens(2 * 10, model->config().vocabulary, 25);
  auto there =
      DeviceActivations::embedded(test_card(), *model, tokens, 10, ActivationPlace::Device, {}, pool);
  cuda::BlockBuffers buffers;
  const auto layer = cuda::DeviceLayer::load(test_card(), *model, 1, pool);
  const auto output = cuda::guarded_status([&] { advance(test_card(), layer, there, buffers); });
  REQUIRE(!output.ok());
  CHECK(output.error().code == "calibration_not_finite");
  CHECK(output.error().message == output_not_finite(1).message);
  const auto input =
      cuda::guarded([&] { return collect_hessians(test_card(), layer, there, buffers).by_input[0].rows(); });
  REQUIRE(!input.ok());
  CHECK(input.error().message == input_not_finite(layer.config(), 1, LinearInput::Attention).message);
}
