// Runs over a small model of each family: fused linears and biases, resumed, on any number of threads.
#include <doctest/doctest.h>

#include "tests/logits_of.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/tiny_families.h"

using namespace signum;

namespace {

// The source as the run read it, each linear's weight replaced by what its packed form decodes to.
TinyModel decoded(const TinyModel& source, const Model& packed) {
  ThreadPool pool(2);
  TinyModel model = source;
  round_to(model, DType::F16);
  for (const LinearInfo& linear : packed.linears()) {
    const auto weight = packed.weight(linear, pool);
    REQUIRE(weight.ok());
    TinyTensor& tensor = model.tensors.at(linear.name + ".weight");
    REQUIRE(tensor.values.size() == weight.value().size());
    std::copy_n(weight.value().data(), weight.value().size(), tensor.values.begin());
  }
  return model;
}

bool same_bytes(const TensorView& a, const TensorView& b) {
  return a.dtype == b.dtype && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
}

}  // namespace

TEST_CASE("a packed run of each family is the model that it decodes to; all else is copied") {
  for (const TinyFamily& family : tiny_families())
    for (const char* method : {"gptq", "signum-rc"}) {
      CAPTURE(family.name);
      CAPTURE(method);
      const TinyRun tiny(family.model);
      RecordingObserver observer;
      const QuantizeOutcome outcome = run_to_end(tiny.job(method), observer);
      const auto packed = opened(outcome.packed), source = opened(tiny.source());
      CHECK(packed->packed());
      CHECK(packed->notes().empty());
      CHECK(packed->parameters() == source->parameters());
      CHECK(observer.linears.size() == packed->linears().size());
      for (const LinearReport& report : observer.linears) {
        CAPTURE(report.name);
        CHECK(report.weight_error > 0);
        REQUIRE(report.output_error.has_value());
        CHECK(*report.output_error > 0);
        CHECK(*report.output_error < 1);
      }
      for (size_t layer = 0; layer <= family.model.layers; ++layer) {
        const auto copied = packed->other_tensors(layer), others = source->other_tensors(layer);
        REQUIRE(copied.size() == others.size());
        for (size_t i = 0; i < copied.size(); ++i) {
          CHECK(copied[i]->name == others[i]->name);
          CHECK(same_bytes(*copied[i], *others[i]));
        }
      }
      write_model(decoded(family.model, *packed), tiny.folder / "decoded");
      const auto tokens = random_tokens(50, family.model.vocabulary, 9);
      const Matrix a = logits_of(*packed, tokens), b = logits_of(*opened(tiny.folder / "decoded"), tokens);
      CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
      CHECK(nmse(logits_of(*packed, tokens, WeightForm::Mapped), b) < 1e-11);
      const std::vector<uint32_t> few(tokens.begin(), tokens.begin() + 3);
      CHECK(nmse(logits_of(*packed, few, WeightForm::Mapped), logits_of(*packed, few)) < 1e-11);
    }
}

TEST_CASE("the weights where they are mapped, stored or packed, are those that are decoded") {
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    const auto check = [&](const std::string& folder) {
      const auto model = opened(folder);
      for (const size_t length : {1, 3, 50}) {  // by reading, and by converted bands
        const auto tokens = random_tokens(length, family.model.vocabulary, 10);
        CHECK(nmse(logits_of(*model, tokens, WeightForm::Mapped), logits_of(*model, tokens)) < 1e-11);
      }
    };
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
      const TemporaryFolder folder;
      write_model(family.model, folder.path, dtype);
      check(folder.path);
    }
    const TinyRun tiny(family.model);
    QuantizeJob job = tiny.job("rtn");
    job.recipe.insert(1, R"("embedding_type": "rtn8", )");
    job.recipe.insert(1, family.model.tied ? "" : R"("head_type": "rtn4", )");
    RecordingObserver observer;
    const std::string packed = run_to_end(job, observer).packed;
    CHECK(opened(packed)->head_table().stored() == nullptr);
    check(packed);
  }
}

TEST_CASE("each family: stopped and resumed, on 1, 2 and 3 threads, the same bytes") {
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    const TinyRun tiny(family.model);
    RecordingObserver first, second, third;
    const auto expected = folder_bytes(run_to_end(tiny.job("signum-rc", "one"), first, 1).packed);
    CHECK(folder_bytes(run_to_end(tiny.job("signum-rc", "three"), second, 3).packed) == expected);
    QuantizeJob job = tiny.job("signum-rc", "stopped");
    run_and_stop(job, 2);
    job.resume = true;
    job.activation_limit = 0;  // the activations in a file
    const QuantizeOutcome outcome = run_to_end(job, third);
    CHECK(third.plans.at(0).resumed_layers == 2);
    CHECK(folder_bytes(outcome.packed) == expected);
  }
}

TEST_CASE("linears that read the same input share one Hessian and one order, fused or not") {
  const TinyRun phi3(tiny_phi3(0).model), opt(tiny_opt(true, true, 60).model);
  const auto orders = [](const TinyRun& tiny) {
    RecordingObserver observer;
    const auto packed = opened(run_to_end(tiny.job("signum-rc"), observer).packed);
    std::vector<std::string> names;
    const auto shard = SafetensorsFile::open(packed->folder() + "/model-00001-of-00004.safetensors");
    REQUIRE(shard.ok());
    for (const auto& [name, tensor] : shard.value()->tensors())
      if (name.ends_with(".order")) names.push_back(name);
    return names;
  };
  const std::string llama = "model.layers.0.", decoder = "model.decoder.layers.0.";
  CHECK(orders(phi3) ==
        std::vector<std::string>{llama + "mlp.down_proj.order", llama + "mlp.gate_up_proj.order",
                                 llama + "self_attn.o_proj.order", llama + "self_attn.qkv_proj.order"});
  CHECK(orders(opt) == std::vector<std::string>{decoder + "fc1.order", decoder + "fc2.order",
                                                decoder + "self_attn.out_proj.order",
                                                decoder + "self_attn.q_proj.order"});
}
