// Candidates measured on every linear, and linears probed one by one: against whole runs.
#include "measure/measure.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "evaluate/logits.h"
#include "model/activations.h"
#include "model/decoder_layer.h"
#include "tests/recorded_run.h"

using namespace signum;
using Json = nlohmann::json;

namespace {

struct MeasuringObserver : RecordingObserver {
  std::vector<Measurement> measurements;
  std::vector<Sensitivity> sensitivities;
  void measured(const Measurement& one) override { measurements.push_back(one); }
  void sensitivity(const Sensitivity& one) override { sensitivities.push_back(one); }
};

TinyRun& tiny() {
  static TinyRun run;
  return run;
}

std::string uncorrected(const std::string& method) {
  Json recipe = Json::parse(tiny_recipes().at(method));
  if (recipe["parameters"].contains("correction")) recipe["parameters"]["correction"] = 0;
  return recipe.dump();
}

MeasureJob measure_job(const std::vector<std::string>& methods) {
  const QuantizeJob run = tiny().job("rtn");
  MeasureJob job{.model = run.model,
                 .candidates = {},
                 .calibration = *run.calibration,
                 .probe = methods.size() - 1,
                 .probe_sequences = 2,
                 .folder = tiny().folder / "",
                 .activation_limit = 1 << 30};
  for (const std::string& method : methods) job.candidates.push_back(tiny_recipes().at(method));
  return job;
}

MeasureOutcome measure_to_end(const MeasureJob& job, MeasuringObserver& observer, size_t threads = 2) {
  ThreadPool pool(threads);
  auto outcome = run_measure(job, observer, pool);
  REQUIRE_MESSAGE(outcome.ok(), end_of(outcome));
  return std::move(outcome).value();
}

std::string try_measure(const MeasureJob& job) {
  RecordingObserver observer;
  ThreadPool pool(2);
  return end_of(run_measure(job, observer, pool));
}

// A run that quantizes one linear and keeps all others.
QuantizeOutcome quantize_only(const std::string& linear, const std::string& recipe,
                              RecordingObserver& observer, const std::string& folder) {
  QuantizeJob job = tiny().job("rtn", folder);
  const auto model = Model::open(job.model).value();
  Json others = Json::array(), whole = Json::parse(recipe);
  for (const LinearInfo& info : model->linears())
    if (info.name != linear) others.push_back(info.name);
  whole["overrides"] = Json::array({{{"linears", others}, {"keep", true}}});
  job.recipe = whole.dump();
  return run_to_end(job, observer);
}

// sum q ln(q / p), all in 64 bits.
double naive_divergence(const float* p, const float* q, size_t count) {
  const auto total = [&](const float* row) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += std::exp(double(row[i]));
    return std::log(sum);
  };
  const double p_total = total(p), q_total = total(q);
  double sum = 0;
  for (size_t i = 0; i < count; ++i)
    sum += std::exp(double(q[i]) - q_total) * (double(q[i]) - q_total - double(p[i]) + p_total);
  return sum;
}

}  // namespace

TEST_CASE("a candidate costs and loses what a run of it does") {
  std::vector<std::string> methods;
  for (const auto& [method, recipe] : tiny_recipes()) methods.push_back(method);
  MeasuringObserver measured;
  const MeasureOutcome outcome = measure_to_end(measure_job(methods), measured);
  CHECK(outcome.tokens == 6 * 48);
  CHECK(outcome.probe_tokens == 2 * 48);
  REQUIRE(measured.plans.size() == 1);
  CHECK(measured.plans[0].linears == 21);
  CHECK(measured.linears.empty());  // they are no results of a run
  REQUIRE(measured.measurements.size() == 21 * methods.size());
  REQUIRE(measured.sensitivities.size() == 21);
  for (size_t candidate = 0; candidate < methods.size(); ++candidate) {
    INFO(methods[candidate]);
    QuantizeJob job = tiny().job(methods[candidate], "measured-" + methods[candidate]);
    job.recipe = uncorrected(methods[candidate]);
    RecordingObserver run;
    run_to_end(job, run);
    size_t orders = 0, inputs = 0;
    for (size_t i = 0; i < 7; ++i) {  // of layer 0: those of later ones have other inputs in the run
      const Measurement& one = measured.measurements[i * methods.size() + candidate];
      const LinearReport& report = run.linears[i];
      CHECK(one.linear == report.name);
      CHECK(one.candidate == candidate);
      CHECK(one.layer == report.layer);
      CHECK(one.weight_error == report.weight_error);
      CHECK(one.output_error == report.output_error.value());
      CHECK(one.salient_columns == report.salient_columns);
      CHECK(one.nominal_bits == report.nominal_bits);
      CHECK(one.output_power > 0);
      const size_t order = report.bytes - one.bytes;  // where the run stores it
      CHECK((order == 0 || order == one.order_bytes));
      orders += order;
    }
    for (const size_t place : {0, 3, 4, 6})  // the first linear of every input
      inputs += measured.measurements[place * methods.size() + candidate].order_bytes;
    CHECK(orders == inputs);
  }
}

TEST_CASE("output_power is the mean squared norm of a linear's outputs") {
  MeasuringObserver measured;
  MeasureJob job = measure_job({"rtn"});
  job.probe_sequences = 0;
  CHECK(measure_to_end(job, measured).probe_tokens == 0);
  CHECK(measured.sensitivities.empty());
  ThreadPool pool(2);
  const auto model = Model::open(job.model).value();
  const auto tokens = read_tokens(job.calibration.tokens, 61).value();
  const auto windows =
      take_windows(tokens, window_starts(job.calibration.plan, tokens.size(), 128).value(), 48);
  const auto activations = Activations::embedded(*model, windows, 48, {}, pool).value();
  const auto layer = DecoderLayer::load(*model, 0, pool).value();
  const Matrix weight = model->weight(model->linears()[0], pool).value();
  double sum = 0;
  ForwardBuffers buffers;
  layer.forward(std::as_const(activations).batch(0, 6), 48, {}, buffers, pool,
                [&](LinearInput input, ConstView x, ConstView) {
                  if (input != LinearInput::Attention) return;
                  for (size_t t = 0; t < x.rows; ++t)
                    for (size_t r = 0; r < weight.rows(); ++r) {
                      double y = 0;
                      for (size_t c = 0; c < x.columns; ++c) y += double(x(t, c)) * double(weight(r, c));
                      sum += y * y;
                    }
                });
  CHECK(measured.measurements[0].output_power == doctest::Approx(sum / (6 * 48)).epsilon(1e-5));
}

TEST_CASE("a probed linear moves the predictions as far as a model in which it alone is quantized") {
  MeasuringObserver measured;
  const MeasureJob job = measure_job({"gptq", "signum-rc"});
  measure_to_end(job, measured);
  const auto original = Model::open(job.model).value();
  const auto tokens = read_tokens(job.calibration.tokens, 61).value();
  const auto starts = window_starts(job.calibration.plan, tokens.size(), 128).value();
  ThreadPool pool(2);
  for (const size_t place : {size_t(1), size_t(9), size_t(13), size_t(20)}) {  // of every layer and input
    const Sensitivity& probed = measured.sensitivities[place];
    RecordingObserver run;
    const auto outcome =
        quantize_only(probed.linear, uncorrected("signum-rc"), run, "only-" + std::to_string(place));
    CHECK(run.linears[place].output_error.value() == doctest::Approx(probed.output_error));
    const auto packed = Model::open(outcome.packed).value();
    double sum = 0;
    for (size_t window = 0; window < 2; ++window) {
      const auto ids = std::span(tokens).subspan(starts[window], 48);
      const Matrix p = logits(*packed, ids, pool).value(), q = logits(*original, ids, pool).value();
      for (size_t t = 0; t < 48; ++t) sum += naive_divergence(p.row(t), q.row(t), 61);
    }
    CHECK(probed.kld > 0);
    CHECK(probed.kld == doctest::Approx(sum / 96).epsilon(1e-3));
    CHECK(probed.standard_error.value() > 0);
  }
}

TEST_CASE("the same numbers for any thread count, with activations in memory or in files") {
  MeasureJob job = measure_job({"arb-rc", "signum-rc"});
  MeasuringObserver first, second;
  measure_to_end(job, first, 1);
  job.activation_limit = 0;
  measure_to_end(job, second, 3);
  REQUIRE(first.measurements.size() == second.measurements.size());
  for (size_t i = 0; i < first.measurements.size(); ++i) {
    CHECK(first.measurements[i].bytes == second.measurements[i].bytes);
    CHECK(first.measurements[i].output_error == second.measurements[i].output_error);
    CHECK(first.measurements[i].output_power == second.measurements[i].output_power);
  }
  for (size_t i = 0; i < first.sensitivities.size(); ++i)
    CHECK(first.sensitivities[i].kld == second.sensitivities[i].kld);
}

TEST_CASE("what cannot be measured is refused") {
  const MeasureJob good = measure_job({"rtn", "gptq"});
  MeasureJob job = good;
  job.candidates = {};
  CHECK(try_measure(job) == "job_invalid There must be 1 to 64 candidates.");
  job = good;
  job.probe = 2;
  CHECK(try_measure(job) == "job_invalid The probe must be one of the candidates.");
  job = good;
  job.probe_sequences = 7;
  CHECK(try_measure(job) ==
        "job_invalid There are fewer calibration sequences than linears are to be probed with.");
  job = good;
  Json candidate = Json::parse(job.candidates[1]);
  candidate["overrides"] = Json::array();
  job.candidates[1] = candidate.dump();
  CHECK(try_measure(job) == "recipe_invalid A candidate has a method and parameters, no 'overrides'.");
  job = good;
  job.candidates[0] = R"({"method":"rtn","parameters":{}})";
  CHECK(try_measure(job).starts_with("recipe_invalid "));
  job = good;
  RecordingObserver run;
  job.model = run_to_end(tiny().job("rtn", "packed"), run).packed;
  CHECK(try_measure(job).starts_with("already_quantized "));
}

TEST_CASE("cancelled wherever it is asked for") {
  for (const int patience : {1, 5, 20, 60}) {
    MeasuringObserver observer;
    int asked = 0;
    observer.cancel = [&] { return ++asked > patience; };
    ThreadPool pool(2);
    CHECK(end_of(run_measure(measure_job({"rtn", "gptq"}), observer, pool)) ==
          "cancelled The run was cancelled.");
    CHECK(observer.sensitivities.empty());
  }
}
