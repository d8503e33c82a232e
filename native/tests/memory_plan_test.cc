// What a run needs on a card, from shapes alone.
#include "device/memory_plan.h"

#include <doctest/doctest.h>

#include <numeric>

#include "run/device_memory.h"
#include "run/preflight.h"
#include "tests/recorded_run.h"

using namespace signum;

namespace {

constexpr uint64_t kGiB = uint64_t(1) << 30;

// A decoder layer of LLaMA's form, 128 sequences of 2,048 tokens; a method with one factor.
MemoryQuestion llama(size_t hidden, size_t intermediate, size_t keys, uint64_t card) {
  MemoryQuestion question;
  for (const size_t rows : {hidden, keys, keys}) question.linears.push_back({rows, hidden, 0, 2});
  question.linears.push_back({hidden, hidden, 1, 2});
  for (int i = 0; i < 2; ++i) question.linears.push_back({intermediate, hidden, 2, 2});
  question.linears.push_back({hidden, intermediate, 3, 2});
  question.hidden = hidden;
  question.forward_floats = 4 * hidden + 2 * keys + 2 * intermediate;
  question.factors = 1;
  question.kept_block = 128;
  question.sequences = 128;
  question.length = 2048;
  question.batch = 2;
  question.pinned_bytes = 8 * kGiB;
  question.card_bytes = card;
  return question;
}

}  // namespace

TEST_CASE("a 7B model is quantized on a card of 8 GB, its activations beside it") {
  const MemoryPlan plan = plan_memory(llama(4096, 11008, 4096, 8 * kGiB));
  CHECK(plan.fits);
  CHECK(plan.advice.empty());
  CHECK(plan.needed_bytes < 6 * kGiB);
  CHECK(plan.activations == ActivationPlace::Pinned);  // 4 GiB
  CHECK(plan_memory(llama(4096, 11008, 4096, 24 * kGiB)).activations == ActivationPlace::Device);
  MemoryQuestion crowded = llama(4096, 11008, 4096, 8 * kGiB);
  crowded.pinned_bytes = kGiB;
  CHECK(plan_memory(crowded).activations == ActivationPlace::Disk);
  MemoryQuestion paired = llama(4096, 11008, 4096, 8 * kGiB);
  paired.paired = true;
  CHECK(plan_memory(paired).fits);
}

TEST_CASE("a layer of a 70B model is quantized on a card of 24 GB") {
  const MemoryPlan plan = plan_memory(llama(8192, 28672, 1024, 24 * kGiB));
  CHECK(plan.fits);
  CHECK(plan.phase == "factor");
  const MemoryPlan small = plan_memory(llama(8192, 28672, 1024, 8 * kGiB));
  CHECK_FALSE(small.fits);
  CHECK(small.advice.find("a larger card") != std::string::npos);
  CHECK(small.needed_bytes > 8 * kGiB);
}

TEST_CASE("the parts are the whole, and what is larger needs more") {
  const auto sum = [](const MemoryPlan& plan) {
    return std::accumulate(plan.parts.begin(), plan.parts.end(), uint64_t(0),
                           [](uint64_t all, const MemoryPart& part) { return all + part.bytes; });
  };
  const MemoryQuestion plain = llama(1024, 2816, 1024, 4 * kGiB);
  const MemoryPlan plan = plan_memory(plain);
  CHECK(sum(plan) == plan.needed_bytes);
  MemoryQuestion more = plain;
  more.paired = true;
  CHECK(sum(plan_memory(more)) == plan_memory(more).needed_bytes);
  CHECK(plan_memory(more).needed_bytes > plan.needed_bytes);
  MemoryQuestion wide = llama(8192, 28672, 1024, 80 * kGiB);
  wide.factors = 2;
  CHECK(plan_memory(wide).needed_bytes > plan_memory(llama(8192, 28672, 1024, 80 * kGiB)).needed_bytes);
  more = plain;
  more.length = 32768;
  more.batch = 1;
  more.sequences = 8;
  const MemoryPlan longer = plan_memory(more);
  CHECK(longer.needed_bytes > plan.needed_bytes);
  CHECK(longer.phase == "calibrate");
  more.card_bytes = kGiB;
  CHECK(plan_memory(more).advice.find("shorter calibration sequences") != std::string::npos);
}

TEST_CASE("without calibration there is one linear at a time") {
  MemoryQuestion question = llama(4096, 11008, 4096, 2 * kGiB);
  question.sequences = question.length = question.factors = 0;
  const MemoryPlan plan = plan_memory(question);
  CHECK(plan.fits);
  CHECK(plan.phase == "quantize");
  for (const MemoryPart& part : plan.parts) CHECK(part.name != "hessians");
}

TEST_CASE("the question is asked for a model and a recipe") {
  TinyRun tiny(1);
  const auto model = Model::open(tiny.source()).value();
  const CalibrationPlan plan{Sampling::Random, 6, 48, 7};
  const auto recipe = RunRecipe::from_json(tiny_recipes().at("signum-rc")).value();
  const MemoryQuestion question = memory_question(*model, recipe, &plan);
  CHECK(question.linears.size() == 7);
  CHECK(question.linears[0].stored_bytes == 2);
  CHECK(question.factors == 1);
  CHECK(question.paired);
  CHECK(question.sequences == 6);
  const auto rtn = RunRecipe::from_json(tiny_recipes().at("rtn")).value();
  const MemoryQuestion simple = memory_question(*model, rtn, nullptr);
  CHECK(simple.factors == 0);
  CHECK(simple.sequences == 0);
  CHECK_FALSE(simple.paired);
}

TEST_CASE("of the computer a run on a card takes activations only where they lie there") {
  TinyRun tiny(1);
  const auto model = Model::open(tiny.source()).value();
  const CalibrationPlan plan{Sampling::Random, 6, 48, 7};
  for (const char* method : {"gptq", "signum-rc"}) {  // the second one with a correction: two streams
    CAPTURE(method);
    const auto recipe = RunRecipe::from_json(tiny_recipes().at(method)).value();
    const auto taken = [&](ActivationPlace place) {
      return host_memory_needed(*model, recipe, &plan, place);
    };
    CHECK(taken(ActivationPlace::Pinned) - taken(ActivationPlace::Device) ==
          streams(*model, recipe) * activation_bytes(*model, plan));
    CHECK(taken(ActivationPlace::Disk) == taken(ActivationPlace::Device));
    // A layer as it is stored and packed ones, beside the program.
    CHECK(taken(ActivationPlace::Device) > uint64_t(512) << 20);
    CHECK(taken(ActivationPlace::Device) < (uint64_t(512) << 20) + 4 * model->parameters());
  }
}
