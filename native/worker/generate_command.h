// The command `generate`: a session on stdin and stdout (docs/PROTOCOL.md).
#pragma once

#include <memory>

#include "model/model.h"
#include "worker/events.h"
#include "worker/job.h"
#include "worker/requests.h"

namespace signum {

class OpenedDevice;
class ThreadPool;

struct SessionTotals {
  uint64_t requests = 0;
  uint64_t tokens = 0;
};

// Loads the model, says `ready`, and answers until the session is stopped. began: when the model was asked
// for. device: null for the CPU. Errors: those of GenerationSession::load or of OpenedDevice::reader,
// memory_short, model_changed.
Result<SessionTotals> run_generate(const GenerateJob& job, std::shared_ptr<const Model> model,
                                   std::chrono::steady_clock::time_point began, RequestQueue& requests,
                                   EventWriter& events, OpenedDevice* device, ThreadPool& pool);

}  // namespace signum
