// A whole quantize run on the card, beside the CPU's.
#include <doctest/doctest.h>

#include <cmath>

#include "cuda/methods/quantize.h"
#include "cuda/run/device_compute.h"
#include "device.h"
#include "device/memory_plan.h"
#include "evaluate/evaluate.h"
#include "run/device_memory.h"
#include "tests/recorded_run.h"

using namespace signum;

namespace {

// The card as a run sees it.
struct CardEnd {
  cuda::Blas blas{test_device(), {}};
  cuda::DeviceBackend backend{{test_device(), blas}, "f32", ""};
};

double perplexity(const std::string& folder, const TinyRun& tiny) {
  ThreadPool pool(2);
  const auto model = Model::open(folder).value();
  const auto tokens = read_tokens(tiny.tokens(), model->config().vocabulary).value();
  EvaluationOptions options;
  options.windows.window = 50;
  const auto evaluated = evaluate(*model, nullptr, tokens, options, pool);
  REQUIRE_MESSAGE(evaluated.ok(), end_of(evaluated));
  return evaluated.value().model.perplexity;
}

// How far two runs are apart: the mean over their linears, relative, and the perplexities of what came out.
struct Apart {
  double weight = 0, output = 0, bits = 0, perplexity = 0;
};

struct Ran {
  RecordingObserver observer;
  double perplexity = 0;
};

Ran ran(const TinyRun& tiny, const QuantizeJob& job, Backend& backend) {
  Ran out;
  out.perplexity = perplexity(run_to_end(job, out.observer, 2, backend).packed, tiny);
  return out;
}

Apart apart_of(const Ran& a, const Ran& b) {
  REQUIRE(a.observer.linears.size() == b.observer.linears.size());
  Apart apart{.perplexity = std::abs(b.perplexity / a.perplexity - 1)};
  const double share = 1 / double(a.observer.linears.size());
  for (size_t i = 0; i < a.observer.linears.size(); ++i) {
    const LinearReport &its = a.observer.linears[i], &ours = b.observer.linears[i];
    CHECK(ours.name == its.name);
    CHECK(ours.method == its.method);
    apart.weight += share * (ours.weight_error / its.weight_error - 1);
    apart.output += share * (*ours.output_error / *its.output_error - 1);
    apart.bits += share * (ours.linear_bits / its.linear_bits - 1);
  }
  return apart;
}

// The windows of the calibration, one after another, and the same ones from the last to the first: the same
// Hessians but for the rounding of sums, which is what two devices differ by.
CalibrationPlan write_both_ways(const TinyRun& tiny) {
  const CalibrationPlan plan{Sampling::Sequential, 6, 48, 0};
  const std::string tokens = read_bytes(tiny.tokens());
  std::string reversed;
  const size_t bytes = plan.length * 4;
  for (size_t i = plan.sequences; i-- > 0;) reversed += tokens.substr(i * bytes, bytes);
  write_bytes(tiny.folder / "reversed.u32", reversed);
  return plan;
}

}  // namespace

// A model as small as this one moves by more than its share when a rounding moves a sign, and the columns
// after it move with it. So each end is held against how far the CPU moves by rounding alone.
TEST_CASE("every method's run on the card finds what the CPU finds, within what was planned") {
  TinyRun tiny(2);
  CardEnd card;
  const auto model = Model::open(tiny.source()).value();
  const CalibrationPlan plan = write_both_ways(tiny);
  for (const auto& [method, text] : tiny_recipes()) {
    CAPTURE(method);
    if (!cuda::unsupported(recipe_from_json(text).value()).empty()) {
      MESSAGE(method, " left out");
      continue;
    }
    QuantizeJob job = tiny.job(method, "cpu-" + method);
    job.calibration->plan = plan;
    const Ran cpu = ran(tiny, job, cpu_backend());
    job.run = tiny.run("reversed-" + method);
    job.calibration->tokens = tiny.folder / "reversed.u32";
    const Apart rounding = apart_of(cpu, ran(tiny, job, cpu_backend()));
    job.run = tiny.run("card-" + method);
    job.calibration->tokens = tiny.tokens();

    const auto recipe = RunRecipe::from_json(job.recipe).value();
    MemoryQuestion question = memory_question(*model, recipe, &plan);
    question.card_bytes = test_device().free_bytes();
    question.reserved_bytes = 0;
    const uint64_t before = test_device().used_bytes();
    test_device().reset_peak();
    const Ran device = ran(tiny, job, card.backend);
    CHECK(test_device().peak_bytes() - before <= plan_memory(question).needed_bytes);
    CHECK(test_device().used_bytes() == before);
    CHECK(device.observer.saved_shards.size() == 3);

    const Apart apart = apart_of(cpu, device);
    MESSAGE(method, ": perplexity apart ", apart.perplexity, ", by rounding ", rounding.perplexity,
            "; output ", apart.output, ", ", rounding.output);
    CHECK(std::abs(apart.weight) < 0.01 + 3 * std::abs(rounding.weight));
    // Where a method alternates, another order of its sums can end elsewhere, as good: that moves the few
    // logits of this model, whose weights are random, further than those of a trained one.
    const bool alternates = method.starts_with("arb") || method == "signum-rc";
    CHECK(std::abs(apart.output) < (alternates ? 0.02 : 0.01) + 3 * std::abs(rounding.output));
    CHECK(std::abs(apart.bits) < 0.01 + 3 * std::abs(rounding.bits));
    CHECK(apart.perplexity < (alternates ? 0.15 : 0.02) + 3 * rounding.perplexity);
  }
}

TEST_CASE("the same bytes twice, and after a stop") {
  TinyRun tiny(2);
  CardEnd card;
  RecordingObserver observer;
  const auto expected =
      folder_bytes(run_to_end(tiny.job("signum-rc", "1"), observer, 2, card.backend).packed);
  CHECK(folder_bytes(run_to_end(tiny.job("signum-rc", "2"), observer, 1, card.backend).packed) == expected);
  QuantizeJob job = tiny.job("signum-rc", "3");
  run_and_stop(job, 1, card.backend);
  job.resume = true;
  job.activation_limit = 0;
  RecordingObserver again;
  CHECK(folder_bytes(run_to_end(job, again, 2, card.backend).packed) == expected);
  CHECK(again.plans.at(0).resumed_layers == 1);
  CHECK(folder_bytes(job.run + "/diagnostics") == folder_bytes(tiny.run("1") + "/diagnostics"));
}

TEST_CASE("cancelled anywhere, what was finished goes on") {
  TinyRun tiny(2);
  CardEnd card;
  RecordingObserver observer;
  const auto expected =
      folder_bytes(run_to_end(tiny.job("gptq", "straight"), observer, 2, card.backend).packed);
  size_t cancelled = 0;
  for (size_t n = 6; n < 60; n += 25) {
    CAPTURE(n);
    QuantizeJob job = tiny.job("gptq", "run" + std::to_string(n));
    RecordingObserver first;
    size_t asked = 0;
    first.cancel = [&] { return asked++ >= n; };
    ThreadPool pool(2);
    const auto end = run_quantize(job, first, pool, card.backend);
    if (!end.ok()) {
      CHECK(end.error().code == "cancelled");
      ++cancelled;
    }
    job.resume = std::filesystem::exists(job.run + "/state.json");
    RecordingObserver second;
    CHECK(folder_bytes(run_to_end(job, second, 2, card.backend).packed) == expected);
  }
  CHECK(cancelled >= 1);
}

TEST_CASE("a run of the CPU goes on on the card only where the job says so") {
  TinyRun tiny(2);
  CardEnd card;
  QuantizeJob job = tiny.job("rtn");
  run_and_stop(job, 1);
  job.resume = true;
  const std::string end = try_run(job, card.backend);
  CHECK(end.starts_with("resume_mismatch "));
  CHECK(end.find("device: was cpu, is ") != std::string::npos);
  job.resume_elsewhere = true;
  RecordingObserver observer;
  run_to_end(job, observer, 2, card.backend);
  CHECK(observer.warnings == std::vector<std::string>{"device"});
  CHECK(observer.plans.at(0).resumed_layers == 1);
}

TEST_CASE("memory that runs out in the middle ends the run with what was needed, and it goes on with more") {
  TinyRun tiny(2);
  CardEnd card;
  RecordingObserver observer;
  const auto expected =
      folder_bytes(run_to_end(tiny.job("gptq", "straight"), observer, 2, card.backend).packed);
  QuantizeJob job = tiny.job("gptq");
  {
    // Somebody else takes the card when the first layer is done.
    struct Crowded : RecordingObserver {
      cuda::Array<uint8_t> taken;
      void linear(const LinearReport& report) override {
        RecordingObserver::linear(report);
        if (linears.size() == 7)
          taken = cuda::Array<uint8_t>(test_device(), test_device().free_bytes(), "others");
      }
    } crowded;
    ThreadPool pool(2);
    const auto end = run_quantize(job, crowded, pool, card.backend);
    REQUIRE(!end.ok());
    CHECK(end.error().code == "device_memory_short");
    CHECK(end.error().message.find("GB") != std::string::npos);
    CHECK(crowded.saved_shards.size() == 1);

    QuantizeJob refused = tiny.job("gptq", "refused");
    CHECK(try_run(refused, card.backend).starts_with("device_memory_short The run needs "));
    CHECK_FALSE(std::filesystem::exists(refused.run + "/state.json"));
  }
  job.resume = true;
  RecordingObserver second;
  CHECK(folder_bytes(run_to_end(job, second, 2, card.backend).packed) == expected);
  CHECK(second.plans.at(0).resumed_layers == 1);
}

TEST_CASE("rtn without calibration, kept linears, and a mixed recipe") {
  TinyRun tiny(2);
  CardEnd card;
  QuantizeJob job = tiny.job("rtn", "card");
  job.calibration.reset();
  QuantizeJob on_cpu = job;
  on_cpu.run = tiny.run("cpu");
  RecordingObserver ours, its;
  run_to_end(job, ours, 2, card.backend);
  run_to_end(on_cpu, its);
  REQUIRE(ours.linears.size() == its.linears.size());
  for (size_t i = 0; i < ours.linears.size(); ++i) {
    CHECK_FALSE(ours.linears[i].output_error);
    CHECK(ours.linears[i].weight_error == doctest::Approx(its.linears[i].weight_error).epsilon(1e-3));
  }
  QuantizeJob mixed = tiny.job("gptq", "mixed");
  mixed.recipe.pop_back();
  const std::string rtn = tiny_recipes().at("rtn");
  mixed.recipe += R"(,"overrides":[{"linears":["model.layers.0.mlp.up_proj"],"keep":true},)" +
                  std::string(R"({"linears":["model.layers.1.self_attn.q_proj"],)") + rtn.substr(1) + "]}";
  RecordingObserver observer;
  run_to_end(mixed, observer, 2, card.backend);
  CHECK(observer.linears[5].method == kKeep);
  CHECK(observer.linears[7].method == "rtn");
  CHECK(observer.linears[8].method == "gptq");
}
