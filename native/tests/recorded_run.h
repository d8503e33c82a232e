// A quantize run over a tiny model, with what it told.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/pool.h"
#include "run/cpu_compute.h"
#include "run/observer.h"
#include "run/quantize_run.h"
#include "tests/tiny_model.h"

struct RecordingObserver : signum::Observer {
  std::vector<signum::RunPlan> plans;
  std::vector<signum::LinearReport> linears;
  std::vector<std::pair<size_t, std::string>> saved_shards;
  std::vector<std::string> warnings;
  std::function<bool()> stop = [] { return false; };
  std::function<bool()> cancel = [] { return false; };

  void plan(const signum::RunPlan& plan) override { plans.push_back(plan); }
  void linear(const signum::LinearReport& report) override { linears.push_back(report); }
  void saved(size_t layer, const std::string& file, uint64_t) override {
    saved_shards.emplace_back(layer, file);
  }
  void warning(const std::string& code, const std::string&) override { warnings.push_back(code); }
  bool stop_requested() override { return stop(); }
  bool cancelled() override { return cancel(); }
};

// Recipes whose blocks do not divide the tiny widths.
inline const std::map<std::string, std::string>& tiny_recipes() {
  static const std::map<std::string, std::string> recipes = {
      {"rtn",
       R"({"method":"rtn","parameters":{"bits":3,"group":32,"symmetric":true,"clip_search":true,"scale_type":"f16"}})"},
      {"gptq",
       R"({"method":"gptq","parameters":{"bits":2,"group":-1,"symmetric":false,"clip_search":false,"order":"hessian","blocksize":32,"correction":0,"damping":0.01,"scale_type":"f16"}})"},
      {"billm",
       R"({"method":"billm","parameters":{"salience":"hessian","blocksize":32,"correction":0,"damping":0.01,"search_space":"saliency","max_salient":10,"scale_type":"bf16"}})"},
      {"pb-llm",
       R"({"method":"pb-llm","parameters":{"salient_share":0.15,"salience":"hessian","salient_bits":5,"group":24,"mean_rule":"least_squares","blocksize":32,"correction":0,"damping":0.01,"scale_type":"f16"}})"},
      {"arb",
       R"({"method":"arb","parameters":{"salience":"magnitude","blocksize":32,"correction":0,"damping":0.01,"search_space":"weights","max_salient":10,"column_group_bitmap":true,"splits":2,"iterations":3,"scale_type":"f16"}})"},
      {"arb-x",
       R"({"method":"arb-x","parameters":{"salience":"hessian","blocksize":32,"correction":0.5,"damping":0.01,"search_space":"saliency","max_salient":10,"column_group_bitmap":false,"splits":1,"iterations":3,"scale_type":"f16"}})"},
      {"arb-rc",
       R"({"method":"arb-rc","parameters":{"salience":"hessian","blocksize":64,"correction":0,"damping":0.01,"search_space":"saliency","max_salient":10,"column_group_bitmap":true,"splits":3,"iterations":3,"scale_type":"f32"}})"},
      {"fdb",
       R"({"method":"fdb","parameters":{"group":32,"step_rule":"hessian","propagation":true,"damping":0.01,"scale_type":"bf16"}})"},
      {"signum-rc",
       R"({"method":"signum-rc","parameters":{"second_plane":0.4,"third_plane":0.2,"order":"hessian","column_scales":true,"refits":2,"correction":0.75,"blocksize":32,"damping":0.01,"scale_type":"f16"}})"},
  };
  return recipes;
}

// A model folder with tokenizer files, and a token file, in one temporary folder.
struct TinyRun {
  TemporaryFolder folder;
  TinyModel model;

  explicit TinyRun(size_t layers = 3) : TinyRun(wider(layers)) {}
  explicit TinyRun(TinyModel given) : model(std::move(given)) {
    write_model(model, source(), signum::DType::F16);
    write_bytes(source() + "/tokenizer.json", "{\"a tokenizer\": true}");
    write_bytes(source() + "/README.md", "not copied");
    write_tokens(5);
  }
  static TinyModel wider(size_t layers) {
    TinyModel model;
    model.hidden = 72;
    model.intermediate = 104;
    model.layers = layers;
    model.vocabulary = 61;
    randomize(model, 11);
    return model;
  }
  std::string source() const { return folder / "model"; }
  std::string tokens() const { return folder / "tokens.u32"; }
  std::string run(const std::string& name = "run") const { return folder / name; }
  void write_tokens(uint32_t seed) {
    std::mt19937 random(seed);
    std::string bytes;
    for (int i = 0; i < 700; ++i) {
      const uint32_t id = uint32_t(random() % model.vocabulary);
      bytes.append(reinterpret_cast<const char*>(&id), 4);
    }
    write_bytes(tokens(), bytes);
  }
  signum::QuantizeJob job(const std::string& method, const std::string& run_name = "run") const {
    return {.model = source(),
            .run = run(run_name),
            .recipe = tiny_recipes().at(method),
            .calibration = signum::Calibration{tokens(), {signum::Sampling::Random, 6, 48, 7}},
            .resume = false,
            .activation_limit = 1 << 30};
  }
};

// Name -> bytes of every file of a folder.
inline std::map<std::string, std::string> folder_bytes(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files[entry.path().filename().string()] = read_bytes(entry.path().string());
  return files;
}

// "ok", or code and message.
template <class T>
std::string end_of(const T& result) {
  return result.ok() ? "ok" : result.error().code + " " + result.error().message;
}

// Runs the job on `threads` threads; must succeed.
inline signum::QuantizeOutcome run_to_end(const signum::QuantizeJob& job, RecordingObserver& observer,
                                          size_t threads = 2,
                                          signum::Backend& backend = signum::cpu_backend()) {
  signum::ThreadPool pool(threads);
  auto outcome = signum::run_quantize(job, observer, pool, backend);
  REQUIRE_MESSAGE(outcome.ok(), end_of(outcome));
  return std::move(outcome).value();
}

inline std::string try_run(const signum::QuantizeJob& job, signum::Backend& backend = signum::cpu_backend()) {
  RecordingObserver observer;
  signum::ThreadPool pool(2);
  return end_of(signum::run_quantize(job, observer, pool, backend));
}

// A run that was stopped after `layers` layers.
inline void run_and_stop(const signum::QuantizeJob& job, size_t layers,
                         signum::Backend& backend = signum::cpu_backend()) {
  RecordingObserver observer;
  observer.stop = [&] {  // shards may be written a little later
    const signum::RunPlan& plan = observer.plans.at(0);
    return observer.linears.size() >= plan.linears / plan.layers * layers;
  };
  const signum::QuantizeOutcome outcome = run_to_end(job, observer, 2, backend);
  REQUIRE(outcome.stopped);
  REQUIRE(outcome.finished_layers == layers);
}
