// The worker's commands: each runs one job and says how it ended.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "run/observer.h"
#include "worker/events.h"
#include "worker/job.h"

namespace signum {

class LabQueue;
class OpenedDevice;
class RequestQueue;
class ThreadPool;

enum class CommandEnd : uint8_t { Finished, Stopped };

// What sessions are asked, by command.
struct SessionLines {
  RequestQueue& generate;
  LabQueue& lab;
};

// Emits everything but `started`, the last event included when it is not an error's. device: job.device, null
// for the CPU.
Result<CommandEnd> run_command(const Job& job, EventWriter& events, Observer& observer, SessionLines lines,
                               OpenedDevice* device, ThreadPool& pool);

}  // namespace signum
