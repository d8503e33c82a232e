// The quantize run on tiny models: what it writes, and that it always writes the same. And the command
// `layer`.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "calibrate/hessian.h"
#include "file/packed_shard.h"
#include "file/sha256.h"
#include "run/diagnostics.h"
#include "run/layer_job.h"
#include "run/machine.h"
#include "run/preflight.h"
#include "tests/recorded_run.h"

using namespace signum;
namespace fs = std::filesystem;

namespace {

// Share of zeros in a plane, bit by bit.
double zeros(const Model& packed, const std::string& tensor, size_t columns) {
  const TensorView& plane = *packed.find(tensor);
  size_t ones = 0;
  for (size_t i = 0; i < plane.shape[0]; ++i)
    for (size_t j = 0; j < columns; ++j) ones += plane.bytes[i * plane.shape[1] + j / 8] >> (j % 8) & 1;
  return 1 - double(ones) / double(plane.shape[0] * columns);
}

}  // namespace

TEST_CASE(
    "a calibrated run keeps the diagonals of its Hessians, on any number of threads the same; another none") {
  TinyRun tiny(2);
  const auto original = Model::open(tiny.source()).value();
  std::map<std::string, std::string> expected;
  for (size_t threads : {1, 3}) {
    const QuantizeJob job = tiny.job("billm", "threads" + std::to_string(threads));
    RecordingObserver observer;
    run_to_end(job, observer, threads);
    const auto files = folder_bytes(job.run + "/diagnostics");
    REQUIRE(files.size() == 2);
    if (threads == 1) expected = files;
    CHECK(files == expected);
    uint64_t bytes = 0;
    for (const auto& [name, content] : files) bytes += content.size();
    CHECK(bytes <= diagnostics_bytes(*original, 0));
    CHECK(diagnostics_bytes(*original, 2) == 0);

    // The first layer's inputs are those of the original model.
    ThreadPool pool(2);
    const CalibrationPlan& plan = job.calibration->plan;
    const auto tokens = read_tokens(tiny.tokens(), original->config().vocabulary).value();
    const auto starts = window_starts(plan, tokens.size(), original->config().context).value();
    const auto activations = Activations::embedded(*original, take_windows(tokens, starts, plan.length),
                                                   plan.length, {1 << 30, tiny.folder.path}, pool);
    REQUIRE(activations.ok());
    const auto layer = DecoderLayer::load(*original, 0, pool);
    REQUIRE(layer.ok());
    ForwardBuffers buffers;
    const auto hessians = collect_hessians(layer.value(), activations.value(), buffers, pool);
    REQUIRE(hessians.ok());
    const auto kept = SafetensorsFile::open(job.run + "/diagnostics/layer-00000.safetensors").value();
    CHECK(kept->tensors().size() == 7);
    for (const LinearInfo& info : original->linears_of(0)) {
      const TensorView* tensor = kept->find(info.name + ".hessian_diagonal");
      REQUIRE(tensor);
      REQUIRE(tensor->shape == std::vector<size_t>{info.columns});
      std::vector<float> values(info.columns);
      to_f32(tensor->dtype, tensor->bytes.data(), values.size(), values.data());
      const Matrix& hessian = hessians.value().of(info.input);
      for (size_t j = 0; j < values.size(); ++j) {
        CHECK(values[j] == hessian(j, j));
        CHECK(values[j] > 0);
      }
    }
  }
  QuantizeJob job = tiny.job("rtn", "alone");
  job.calibration.reset();
  RecordingObserver observer;
  run_to_end(job, observer);
  CHECK_FALSE(fs::exists(job.run + "/diagnostics"));
}

TEST_CASE("a packed folder holds what it should, for every method") {
  for (const auto& [method, recipe] : tiny_recipes()) {
    CAPTURE(method);
    TinyRun tiny;
    RecordingObserver observer;
    const QuantizeOutcome outcome = run_to_end(tiny.job(method), observer);
    CHECK_FALSE(outcome.stopped);
    CHECK(outcome.packed == tiny.run() + "/packed");

    const auto files = folder_bytes(outcome.packed);
    CHECK(files.size() == 4 + 3);  // shards; index, config, tokenizer
    CHECK(files.at("config.json") == read_bytes(tiny.source() + "/config.json"));
    CHECK(files.at("tokenizer.json") == "{\"a tokenizer\": true}");
    CHECK(observer.plans.at(0).linears == 21);
    CHECK(observer.plans.at(0).resumed_layers == 0);
    REQUIRE(observer.saved_shards.size() == 4);
    CHECK(observer.saved_shards[3] == std::pair<size_t, std::string>(3, "model-00004-of-00004.safetensors"));

    auto packed = Model::open(outcome.packed);
    REQUIRE_MESSAGE(packed.ok(), end_of(packed));
    const auto original = Model::open(tiny.source()).value();
    CHECK(packed.value()->packed());
    CHECK(packed.value()->parameters() == original->parameters());
    CHECK(outcome.parameters == original->parameters());
    for (size_t layer = 0; layer <= 3; ++layer) {
      const auto before = original->other_tensors(layer), after = packed.value()->other_tensors(layer);
      REQUIRE(before.size() == after.size());
      for (size_t i = 0; i < before.size(); ++i) {
        CHECK(before[i]->name == after[i]->name);
        CHECK(before[i]->dtype == after[i]->dtype);
        CHECK(std::equal(before[i]->bytes.begin(), before[i]->bytes.end(), after[i]->bytes.begin(),
                         after[i]->bytes.end()));
      }
    }

    // The reports against the files.
    ThreadPool pool(2);
    size_t bytes = 0, weights = 0;
    double nominal = 0;
    REQUIRE(observer.linears.size() == 21);
    for (size_t i = 0; i < 21; ++i) {
      const LinearReport& report = observer.linears[i];
      const LinearInfo& info = original->linears()[i];
      CHECK(report.name == info.name);
      const Matrix was = original->weight(info, pool).value();
      const Matrix is = packed.value()->weight(packed.value()->linears()[i], pool).value();
      double difference = 0, whole = 0;
      for (size_t k = 0; k < was.size(); ++k) {
        difference += std::pow(double(was.data()[k]) - is.data()[k], 2);
        whole += std::pow(double(was.data()[k]), 2);
      }
      CHECK(report.weight_error == doctest::Approx(std::sqrt(difference / whole)).epsilon(1e-4));
      CHECK(report.output_error.value() > 0);
      CHECK(report.output_error.value() < 1);
      CHECK(report.salient_columns.has_value() ==
            (method == "billm" || method == "arb" || method == "arb-x" || method == "arb-rc"));
      CHECK(report.plane1_sparsity.has_value() == (method == "fdb"));
      if (method == "fdb") {
        CHECK(*report.plane1_sparsity == zeros(*packed.value(), info.name + ".sign", info.columns));
        CHECK(*report.plane2_sparsity == zeros(*packed.value(), info.name + ".plane2", info.columns));
        CHECK(*report.plane1_sparsity > 0.3);
      }
      bytes += report.bytes;
      weights += report.rows * report.columns;
      nominal += report.nominal_bits * double(report.rows * report.columns);
      CHECK(report.linear_bits ==
            doctest::Approx(8.0 * double(report.bytes) / double(report.rows * report.columns)));
      CHECK(report.bytes <= packed_bytes(recipe_from_json(recipe).value(), report.rows, report.columns));
    }
    CHECK(outcome.numbers.linear_bytes == bytes);
    CHECK(outcome.numbers.weights == weights);
    CHECK(outcome.numbers.nominal_bits == doctest::Approx(nominal / double(weights)));
    size_t file_bytes = 0;
    for (const auto& [name, content] : files)
      if (name.ends_with(".safetensors")) file_bytes += content.size();
    CHECK(outcome.numbers.file_bytes == file_bytes);
    CHECK(outcome.numbers.file_bits ==
          doctest::Approx(8.0 * double(file_bytes) / double(outcome.parameters)));
    CHECK(file_bytes <= shards_bytes(*original, RunRecipe::from_json(recipe).value(), 0));
  }
}

TEST_CASE("metadata of a shard") {
  TinyRun tiny;
  RecordingObserver observer;
  const std::string packed = run_to_end(tiny.job("signum-rc"), observer).packed;
  const auto shard = PackedShard::open(packed + "/model-00002-of-00004.safetensors").value();
  const auto& metadata = shard->file()->metadata();
  CHECK(metadata.size() == 7);
  CHECK(metadata.at("program") == "signum " SIGNUM_VERSION);
  CHECK(metadata.at("recipe") == nlohmann::json::parse(tiny_recipes().at("signum-rc")).dump());
  const auto calibration = nlohmann::json::parse(metadata.at("calibration"));
  CHECK(calibration == nlohmann::json({{"sha256", sha256_file(tiny.tokens()).value()},
                                       {"tokens", 700},
                                       {"sampling", "random"},
                                       {"sequences", 6},
                                       {"length", 48},
                                       {"seed", 7}}));
  const auto source = nlohmann::json::parse(metadata.at("source"));
  CHECK(source.size() == 3);
  CHECK(source["model.safetensors"] == sha256_file(tiny.source() + "/model.safetensors").value());
  CHECK(source["config.json"] == sha256_file(tiny.source() + "/config.json").value());
  const auto hashes = nlohmann::json::parse(metadata.at("sha256"));
  CHECK(hashes.size() == shard->file()->tensors().size());

  // q, k, v share an order, stored once under q; gate and up likewise.
  const std::string attention = "model.layers.1.self_attn.", mlp = "model.layers.1.mlp.";
  CHECK(shard->layouts().at(attention + "v_proj").order_tensor == attention + "q_proj.order");
  CHECK(shard->layouts().at(attention + "o_proj").order_tensor == attention + "o_proj.order");
  CHECK(shard->layouts().at(mlp + "up_proj").order_tensor == mlp + "gate_proj.order");
  CHECK(shard->file()->find(attention + "k_proj.order") == nullptr);
  CHECK(shard->file()->find(mlp + "up_proj.order") == nullptr);
  CHECK(shard->file()->find(mlp + "down_proj.order")->shape == std::vector<size_t>{104});

  const auto rest = PackedShard::open(packed + "/model-00004-of-00004.safetensors").value();
  CHECK(rest->file()->metadata().at("linears") == "{}");
  const auto index = nlohmann::json::parse(read_bytes(packed + "/model.safetensors.index.json"));
  CHECK(index["metadata"]["signum_format"] == "1");
  CHECK(index["weight_map"][mlp + "down_proj.sign"] == "model-00002-of-00004.safetensors");
  CHECK(index["weight_map"]["model.norm.weight"] == "model-00004-of-00004.safetensors");
}

TEST_CASE("the same bytes on 1, 2 and 5 threads") {
  for (const auto& [method, recipe] : tiny_recipes()) {
    CAPTURE(method);
    TinyRun tiny;
    std::map<std::string, std::string> first;
    for (size_t threads : {1, 2, 5}) {
      RecordingObserver observer;
      const auto packed =
          run_to_end(tiny.job(method, "run" + std::to_string(threads)), observer, threads).packed;
      if (threads == 1) first = folder_bytes(packed);
      CHECK(folder_bytes(packed) == first);
    }
  }
}

TEST_CASE("each layer is calibrated on what the packed layers before it put out") {
  // The pipeline once more by hand; layer 1 sees the decoded layer 0, each linear of a layer the original
  // others.
  TinyRun tiny(2);
  RecordingObserver observer;
  const QuantizeJob job = tiny.job("gptq");
  const std::string packed = run_to_end(job, observer).packed;
  ThreadPool pool(2);
  const Recipe recipe = recipe_from_json(job.recipe).value();
  const auto model = Model::open(tiny.source()).value();
  const auto tokens = read_tokens(tiny.tokens(), model->config().vocabulary).value();
  const auto starts = window_starts(job.calibration->plan, tokens.size(), model->config().context).value();
  const auto windows = take_windows(tokens, starts, 48);
  Activations activations = Activations::embedded(*model, windows, 48, {}, pool).value();
  ForwardBuffers buffers;
  for (size_t layer = 0; layer < 2; ++layer) {
    const auto shard =
        PackedShard::open(packed + "/model-0000" + std::to_string(layer + 1) + "-of-00003.safetensors")
            .value();
    DecoderLayer weights = DecoderLayer::load(*model, layer, pool).value();
    const LayerHessians hessians = collect_hessians(weights, activations, buffers, pool).value();
    for (size_t i = 0; i < model->linears_of(layer).size(); ++i) {
      const LinearInfo& info = model->linears_of(layer)[i];
      CAPTURE(info.name);
      const Factor factor = factorize(hessians.of(info.input), factor_options(recipe), pool).value();
      const PackedLinear expected = quantize(recipe, weights.weight(i).clone(), &factor, pool).value();
      const PackedLinear stored = shard->linear(info.name).value();
      for (const PackedTensor& tensor : expected.tensors)
        CHECK(stored.find(tensor.role)->bytes == tensor.bytes);
      CHECK(*stored.order == *expected.order);
      weights.replace(i, decode(expected, pool).value());
    }
    REQUIRE(advance(weights, activations, buffers, pool).ok());
  }
}

TEST_CASE("rtn without calibration: the same linears, no output errors") {
  TinyRun tiny;
  QuantizeJob with = tiny.job("rtn", "with"), without = tiny.job("rtn", "without");
  without.calibration.reset();
  RecordingObserver first, second;
  const std::string left = run_to_end(with, first).packed, right = run_to_end(without, second).packed;
  const std::string name = "/model-00003-of-00004.safetensors";
  const auto a = SafetensorsFile::open(left + name).value(), b = SafetensorsFile::open(right + name).value();
  CHECK(b->metadata().at("calibration") == "null");
  REQUIRE(a->tensors().size() == b->tensors().size());
  for (const auto& [tensor, view] : a->tensors())
    CHECK(std::equal(view.bytes.begin(), view.bytes.end(), b->find(tensor)->bytes.begin()));
  CHECK(first.linears[5].output_error);
  CHECK_FALSE(second.linears[5].output_error);
  CHECK(first.linears[5].weight_error == second.linears[5].weight_error);
}

TEST_CASE("jobs that cannot be done") {
  TinyRun tiny;
  QuantizeJob job = tiny.job("gptq");
  job.calibration.reset();
  CHECK(try_run(job) == "job_invalid This recipe of gptq needs a calibration.");
  job = tiny.job("gptq");
  job.recipe = "{\"method\":\"gptq\",\"parameters\":{}}";
  CHECK(try_run(job).starts_with("recipe_invalid "));
  job = tiny.job("gptq");
  job.calibration->plan.length = 161;
  CHECK(try_run(job).starts_with("context_too_long "));
  job.calibration->plan = {Sampling::Sequential, 15, 48, 0};
  CHECK(try_run(job).starts_with("calibration_too_short "));
  job = tiny.job("gptq");
  job.model = tiny.folder / "none";
  CHECK(try_run(job).starts_with("not_a_model_folder "));
  CHECK_FALSE(fs::exists(job.run + "/state.json"));

  RecordingObserver observer;
  job = tiny.job("rtn", "packed");
  const std::string packed = run_to_end(job, observer).packed;
  job = tiny.job("rtn", "again");
  job.model = packed;
  CHECK(try_run(job).starts_with("already_quantized "));

  tiny.model.tensors["model.layers.2.mlp.up_proj.weight"].values[77] =
      std::numeric_limits<float>::quiet_NaN();
  write_model(tiny.model, tiny.source(), DType::F16);
  CHECK(try_run(tiny.job("gptq", "nan")) ==
        "weights_not_finite The tensor model.layers.2.mlp.up_proj.weight holds NaN or infinity.");
}

TEST_CASE("room on disk and in memory") {
  CHECK(check_disk("/d", 10, 10).ok());
  CHECK(check_disk("/d", 11, 10).error().message == "The run needs 11 bytes in /d, 10 are free.");
  CHECK(check_memory(10, 10).ok());
  CHECK(check_memory(11, 10).error().code == "memory_short");
  CHECK(available_memory() > 0);
  CHECK(available_memory() <= total_memory());
  CHECK(resident_bytes() > 1000000);
  CHECK(peak_resident_bytes() >= resident_bytes() / 2);

  TinyRun tiny;
  const auto model = Model::open(tiny.source()).value();
  const RunRecipe recipe = RunRecipe::from_json(tiny_recipes().at("gptq")).value();
  const CalibrationPlan plan{Sampling::Random, 1000, 100, 0};
  const uint64_t activations = 1000 * 100 * 72 * 4;
  CHECK(memory_needed(*model, recipe, &plan, activations) ==
        memory_needed(*model, recipe, &plan, 0) + activations);
  CHECK(memory_needed(*model, recipe, &plan, 0) > memory_needed(*model, recipe, nullptr, 0));

  const RunRecipe corrected =
      RunRecipe::from_json(tiny_recipes().at("signum-rc")).value();  // two models' activations
  CHECK(streams(*model, recipe) == 1);
  CHECK(streams(*model, corrected) == 2);
  CHECK(memory_needed(*model, corrected, &plan, activations) ==
        memory_needed(*model, corrected, &plan, 0) + 2 * activations);
}

TEST_CASE("the command layer: what is written decodes to what it says") {
  TemporaryFolder folder;
  std::mt19937 random(3);
  const size_t rows = 20, columns = 50;
  Matrix weight(rows, columns), inputs(200, columns), hessian(columns, columns);
  for (size_t i = 0; i < weight.size(); ++i) weight.data()[i] = float(random()) / 4e9f - 0.5f;
  for (size_t i = 0; i < inputs.size(); ++i) inputs.data()[i] = float(random()) / 4e9f - 0.3f;
  for (size_t t = 0; t < 200; ++t)
    for (size_t i = 0; i < columns; ++i)
      for (size_t k = 0; k < columns; ++k) hessian(i, k) += inputs(t, i) * inputs(t, k);
  const auto bytes = [](const Matrix& m) {
    return std::span(reinterpret_cast<const uint8_t*>(m.data()), m.size() * sizeof(float));
  };
  const auto write_input = [&](std::vector<TensorToWrite> tensors) {
    REQUIRE(write_safetensors(folder / "in", std::move(tensors), {}, false).ok());
  };
  ThreadPool pool(2);
  RecordingObserver observer;
  const auto run = [&](const std::string& method) {
    return end_of(run_layer({folder / "in", folder / "out", tiny_recipes().at(method)}, observer, pool));
  };

  write_input({{"weight", DType::F32, {rows, columns}, bytes(weight)},
               {"hessian", DType::F32, {columns, columns}, bytes(hessian)}});
  for (const auto& [method, recipe] : tiny_recipes()) {
    CAPTURE(method);
    observer.linears.clear();
    CHECK(run(method) == "ok");
    const auto shard = PackedShard::open(folder / "out").value();
    REQUIRE(shard->layouts().size() == 1);
    const Matrix decoded = decode(shard->linear("linear").value(), pool).value();
    const TensorView& written = *shard->file()->find("decoded");
    CHECK(written.shape == std::vector<size_t>{rows, columns});
    CHECK(std::memcmp(written.bytes.data(), decoded.data(), written.bytes.size()) == 0);
    CHECK(shard->file()->metadata().at("calibration") == "null");
    CHECK(shard->file()->metadata().at("source") ==
          "{\"in\":\"" + sha256_file(folder / "in").value() + "\"}");
    REQUIRE(observer.linears.size() == 1);
    const LinearErrors errors = linear_errors(weight, decoded, &hessian, pool);
    CHECK(observer.linears[0].weight_error == doctest::Approx(errors.weight));
    CHECK(observer.linears[0].output_error.value() == doctest::Approx(errors.output));
    size_t stored = 0;
    for (const auto& [name, tensor] : shard->file()->tensors())
      stored += name == "decoded" ? 0 : tensor.bytes.size();
    CHECK(observer.linears[0].bytes == stored);
  }

  write_input({{"weight", DType::F32, {rows, columns}, bytes(weight)}});
  CHECK(run("rtn") == "ok");
  CHECK(run("gptq") == "tensor_missing The tensor hessian is missing.");
  write_input({{"weight", DType::F32, {columns, rows}, bytes(weight)},
               {"hessian", DType::F32, {columns, columns}, bytes(hessian)}});
  CHECK(run("gptq") == "tensor_shape The tensor hessian must be F32 [20, 20].");
  write_input({{"hessian", DType::F32, {columns, columns}, bytes(hessian)}});
  CHECK(run("gptq") == "tensor_missing The tensor weight is missing.");
  write_input({{"weight", DType::F32, {rows * columns}, bytes(weight)}});
  CHECK(run("rtn") == "tensor_shape The tensor weight must be F32 [rows, columns].");
}
