// The command `lab`: a session on stdin and stdout (docs/PROTOCOL.md).
#pragma once

#include "lab/lab.h"
#include "worker/events.h"
#include "worker/lab_requests.h"

namespace signum {

class ThreadPool;

struct LabTotals {
  uint64_t linears = 0;
  uint64_t trials = 0;
};

// Says `ready`, and answers until the session is stopped. Errors: those of Lab::open, model_changed.
Result<LabTotals> run_lab(const LabJob& job, LabQueue& lines, EventWriter& events, Observer& observer,
                          ThreadPool& pool);

}  // namespace signum
