#include "worker/lab_command.h"

#include <nlohmann/json.hpp>

#include "base/pool.h"
#include "run/machine.h"
#include "worker/event_observer.h"

namespace signum {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point from) { return std::chrono::duration<double>(Clock::now() - from).count(); }

Json histogram_json(const Histogram& histogram) {
  return {{"low", -histogram.range}, {"high", histogram.range}, {"counts", histogram.counts}};
}

class Session {
 public:
  Session(Lab lab, EventWriter& events, Observer& observer, ThreadPool& pool)
      : lab_(std::move(lab)), events_(events), observer_(observer), pool_(pool) {}

  Status answer(const LabLine& line) {
    if (!line.request.ok()) return refuse(line, line.request.error());
    const Status done =
        std::visit([&](const auto& request) { return work(line, request); }, line.request.value());
    if (done.ok() || done.error().code == "model_changed") return done;
    return refuse(line, done.error());
  }
  Status halt(const LabLine& line) {
    events_.emit("halted", {{"id", *line.id}});
    return {};
  }
  Status refuse(const LabLine& line, const Error& error) {
    events_.emit(
        "refused",
        {{"id", line.id ? Json(*line.id) : Json()}, {"code", error.code}, {"message", error.message}});
    return {};
  }
  LabTotals totals;

 private:
  Status work(const LabLine& line, const PutLinear& request) {
    SIGNUM_TAKE(const LabLinear linear, lab_.put(request.linear, observer_, pool_));
    ++totals.linears;
    events_.emit("linear", {{"id", *line.id},
                            {"name", linear.info.name},
                            {"rows", linear.info.rows},
                            {"columns", linear.info.columns},
                            {"tokens", linear.tokens},
                            {"at_hand", linear.at_hand},
                            {"weights", histogram_json(linear.weights)},
                            {"seconds", since(line.arrived)},
                            {"resident_bytes", resident_bytes()}});
    return {};
  }
  Status work(const LabLine& line, const TryRecipe& request) {
    SIGNUM_TAKE(const LabTrial trial, lab_.try_recipe(request.recipe, request.output, pool_));
    ++totals.trials;
    Json warnings = Json::array();
    for (const auto& [code, message] : trial.warnings)
      warnings.push_back({{"code", code}, {"message", message}});
    events_.emit("trial", {{"id", *line.id},
                           {"report", linear_json(trial.report)},
                           {"quantized", histogram_json(trial.quantized)},
                           {"levels", trial.levels},
                           {"warnings", warnings},
                           {"resident_bytes", resident_bytes()}});
    return {};
  }

  Lab lab_;
  EventWriter& events_;
  Observer& observer_;
  ThreadPool& pool_;
};

}  // namespace

Result<LabTotals> run_lab(const LabJob& job, LabQueue& lines, EventWriter& events, Observer& observer,
                          ThreadPool& pool) {
  const auto began = Clock::now();
  SIGNUM_TAKE(Lab lab, Lab::open(job, observer));
  const ModelConfig& config = lab.model().config();
  events.emit("ready", {{"architecture", config.architecture->name},
                        {"vocabulary", config.vocabulary},
                        {"context", config.context},
                        {"seconds", since(began)},
                        {"cache_bytes", 0},
                        {"resident_bytes", resident_bytes()}});
  Session session(std::move(lab), events, observer, pool);
  pool.interrupt_when([&] { return lines.halted() || events.broken(); });
  while (const std::optional<LabLine> line = lines.next()) {
    try {
      const bool asked = line->request.ok();
      SIGNUM_TRY(asked && lines.halted() ? session.halt(*line) : session.answer(*line));
    } catch (const Interrupted&) {
      SIGNUM_TRY(session.halt(*line));
    }
  }
  pool.interrupt_when({});
  return session.totals;
}

}  // namespace signum
