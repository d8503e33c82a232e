#include "worker/generate_command.h"

#include <nlohmann/json.hpp>

#include "run/machine.h"
#include "run/preflight.h"

namespace signum {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

double between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

Json or_null(const std::optional<uint64_t>& id) { return id ? Json(*id) : Json(); }

void refuse(const RequestLine& line, const Error& error, EventWriter& events) {
  events.emit("refused", {{"id", or_null(line.id)}, {"code", error.code}, {"message", error.message}});
}

// One request: its tokens as they come, and how it ended.
void answer(const RequestLine& line, GenerationSession& session, const RequestQueue& requests,
            SessionTotals& totals, EventWriter& events, ThreadPool& pool) {
  if (!line.request.ok()) return refuse(line, line.request.error(), events);
  const GenerationRequest& request = line.request.value();
  Clock::time_point first, last;
  const GenerationSession::Listener listener{
      .token =
          [&](size_t index, uint32_t token) {
            events.emit("token", {{"id", *line.id}, {"index", index}, {"token", token}});
            last = Clock::now();
            if (index == 0) first = last;
            ++totals.tokens;
          },
      .halted = [&] { return requests.halted(line) || events.broken(); }};
  const auto done = session.generate(request, listener, pool);
  if (!done.ok()) return refuse(line, done.error(), events);
  const Generation& generation = done.value();
  ++totals.requests;
  events.emit("generated",
              {{"id", *line.id},
               {"tokens", generation.tokens},
               {"reason", kGenerationEnds[size_t(generation.end)]},
               {"prompt_tokens", request.tokens.size()},
               {"reused_tokens", generation.reused_tokens},
               {"first_token_seconds", generation.tokens > 0 ? Json(between(line.arrived, first)) : Json()},
               {"seconds", between(first, last)},
               {"resident_bytes", resident_bytes()}});
}

Result<GenerationSession> open_session(const std::shared_ptr<const Model>& model, size_t context,
                                       OpenedDevice* device, ThreadPool& pool) {
  if (device) {
    SIGNUM_TAKE(auto reader, device->reader(model, context, pool));
    return GenerationSession(std::move(reader));
  }
  SIGNUM_TRY(check_memory(cache_bytes(model->config(), context), available_memory()));
  return GenerationSession::load(model, context, pool);
}

}  // namespace

Result<SessionTotals> run_generate(const GenerateJob& job, std::shared_ptr<const Model> model,
                                   Clock::time_point began, RequestQueue& requests, EventWriter& events,
                                   OpenedDevice* device, ThreadPool& pool) {
  const size_t context = job.context == 0 ? usual_context(model->config()) : job.context;
  SIGNUM_TAKE(GenerationSession session, open_session(model, context, device, pool));
  events.emit("ready", {{"architecture", model->config().architecture->name},
                        {"vocabulary", model->config().vocabulary},
                        {"context", session.context()},
                        {"seconds", between(began, Clock::now())},
                        {"cache_bytes", session.cache_bytes()},
                        {"resident_bytes", resident_bytes()}});
  SessionTotals totals;
  while (const std::optional<RequestLine> line = requests.next()) {
    SIGNUM_TRY(model->unchanged());
    answer(*line, session, requests, totals, events, pool);
  }
  return totals;
}

}  // namespace signum
