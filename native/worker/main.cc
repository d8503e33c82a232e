// signum-worker <command> --job job.json [--no-stdin]: one job, JSON lines out (docs/PROTOCOL.md).
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/pool.h"
#include "file/json_file.h"
#include "file/mapped_file.h"
#include "math/blas.h"
#include "math/linear_algebra.h"
#include "run/machine.h"
#include "worker/commands.h"
#include "worker/control.h"
#include "worker/device_json.h"
#include "worker/event_observer.h"
#include "worker/lab_requests.h"
#include "worker/requests.h"

namespace signum {
namespace {

enum Exit : int { kFinished = 0, kFailed = 1, kUsage = 2, kStopped = 3, kCancelled = 4 };

EventWriter events(STDOUT_FILENO);

// Threads of this process never end by themselves: no destructor may run beside them.
[[noreturn]] void leave(Exit code) {
  std::fflush(stderr);
  ::_exit(code);
}

[[noreturn]] void fail(const Error& error) {
  if (error.code == "cancelled") {
    events.end("cancelled", nlohmann::ordered_json::object());
    leave(kCancelled);
  }
  std::fprintf(stderr, "%s: %s %s\n", error.code.c_str(), error.message.c_str(), error.detail.c_str());
  const bool said =
      events.end("failed", {{"code", error.code}, {"message", error.message}, {"detail", error.detail}});
  leave(said ? kFailed : kCancelled);  // not said: `cancelled` was, just now, by another thread
}

Error error_of(const std::exception_ptr& thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return {"memory_short", "The machine had no memory left for this job.", ""};
  } catch (const std::exception& reason) {
    return {"internal", "Something happened that should not: please report it.", reason.what()};
  } catch (...) {
  }
  return {"internal", "Something happened that should not: please report it.", ""};
}

// Null: the CPU, or not open yet.
std::atomic<OpenedDevice*> device = nullptr;

void beat() {
  for (;;) {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    nlohmann::ordered_json fields = {{"resident_bytes", resident_bytes()}};
    if (const OpenedDevice* opened = device) {
      fields["device_bytes"] = opened->used_bytes();
      fields["device_peak_bytes"] = opened->peak_bytes();
    }
    events.emit("heartbeat", fields);
  }
}

int usage() {
  std::fprintf(stderr,
               "usage: signum-worker <command> --job job.json [--no-stdin]\n"
               "commands: inspect, quantize, layer, evaluate, logits, export, measure, generate, devices, "
               "device-plan, "
               "lab\n");
  return kUsage;
}

int work(const std::string& command, const std::string& job_path, bool read_stdin) {
  auto text = read_text_file(job_path, size_t(1) << 20);
  if (!text.ok()) fail({"job_invalid", text.error().message, ""});
  auto job = parse_job(command, text.value());
  if (!job.ok()) fail(job.error());

  const bool resumable = command == "quantize", lab = command == "lab",
             session = command == "generate" || lab;
  const bool writes = resumable || command == "layer" || command == "logits" || command == "export";
  static RequestQueue requests;
  static LabQueue lab_lines;
  static Control control(events, std::chrono::milliseconds(writes ? 1500 : 0), !resumable && !session,
                         !session ? nullptr
                         : lab    ? static_cast<LineListener*>(&lab_lines)
                                  : &requests);
  control.listen(read_stdin);

  blas::use_one_thread();
  static ThreadPool pool(job.value().threads);
  EventObserver observer(events, control);
  // A driver that wakes many cards takes its time.
  std::thread(beat).detach();
  if (!job.value().device.on_cpu()) {
    auto opened = open_device(job.value().device);
    if (!opened.ok()) fail(opened.error());
    device = std::move(opened).value().release();  // for as long as the process lives
  }
  OpenedDevice* const card = device;
  events.emit("started", {{"command", command},
                          {"program", "signum " SIGNUM_VERSION},
                          {"pid", ::getpid()},
                          {"threads", pool.threads()},
                          {"simd", simd_target_name()},
                          {"blas", blas_core_name()},
                          {"device", card ? device_json(card->info()) : nlohmann::ordered_json()}});
  if (card)
    for (const std::string& note : card->notes()) observer.warning("device", note);
  auto end = run_command(job.value(), events, observer, {requests, lab_lines}, card, pool);
  if (!end.ok()) fail(end.error());
  leave(end.value() == CommandEnd::Stopped ? kStopped : kFinished);
}

}  // namespace
}  // namespace signum

int main(int count, char** arguments) {
  using namespace signum;
  std::string command, job;
  bool read_stdin = true, understood = count >= 2;
  if (understood) command = arguments[1];
  for (int i = 2; i < count && understood; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--job" && i + 1 < count)
      job = arguments[++i];
    else if (argument == "--no-stdin")
      read_stdin = false;
    else
      understood = false;
  }
  if (!understood || !is_command(command) || job.empty()) return usage();

  Control::catch_signals();
  guard_mapped_files([](const char* path) {
    events.end_lost_file(path);
    ::_exit(kFailed);
  });
  std::set_terminate([] { fail(error_of(std::current_exception())); });
  try {
    return work(command, job, read_stdin);
  } catch (...) {
    fail(error_of(std::current_exception()));
  }
}
