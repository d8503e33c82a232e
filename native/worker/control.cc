#include "worker/control.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

namespace signum {
namespace {

constexpr int kCancelled = 4;                   // exit code
constexpr size_t kLineLimit = size_t(1) << 16;  // bytes
constexpr size_t kLongestStop = 1024;
constexpr size_t kRequestLimit = size_t(4) << 20;  // of a line of a session

// Handlers put the signal's number in here. Blocking and sigwait would not do: libraries start threads before
// main, and a signal that one of those does not block ends the process.
int signal_pipe[2] = {-1, -1};

void on_signal(int number) {
  const int saved = errno;
  const auto byte = uint8_t(number);
  if (::write(signal_pipe[1], &byte, 1) < 0) ::_exit(kCancelled);
  errno = saved;
}

}  // namespace

void Control::catch_signals() {
  if (::pipe2(signal_pipe, O_CLOEXEC) != 0) std::abort();
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  struct sigaction hangup;
  ::sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);  // nohup wants it ignored
  ::signal(SIGPIPE, SIG_IGN);  // a reader that is gone shows as an error of write(2)
}

void Control::listen(bool read) {
  std::thread([this] { wait_for_signals(); }).detach();
  std::thread([this] { end_when_cancelled(); }).detach();
  if (read) std::thread([this] { read_stdin(); }).detach();
}

void Control::request_stop() {
  if (stop_is_cancel_) return request_cancel();
  stop_ = true;
  if (listener_) listener_->stop();
}

void Control::request_cancel() {
  {
    std::lock_guard lock(mutex_);
    cancel_ = true;
  }
  changed_.notify_all();
}

void Control::wait_for_signals() {
  for (;;) {
    uint8_t number = 0;
    if (::read(signal_pipe[0], &number, 1) != 1) continue;
    if (number == SIGINT && !stop_)
      request_stop();
    else
      request_cancel();
  }
}

void Control::take_line(const std::string& line) {
  const auto json = nlohmann::json::parse(line.substr(0, kLongestStop), nullptr, false);
  if (json.is_object() && json.value("command", nlohmann::json()) == "stop")
    request_stop();
  else if (listener_)
    listener_->take(line);
  else if (!line.empty())
    std::fprintf(stderr, "not understood on stdin: %.200s\n", line.c_str());
}

void Control::read_stdin() {
  const size_t limit = listener_ ? kRequestLimit : kLineLimit;
  std::string line;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return request_cancel();
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[i] != '\n') {
        if (line.size() < limit) line += buffer[i];
        continue;
      }
      take_line(line);
      line.clear();
    }
  }
}

void Control::end_when_cancelled() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return cancel_.load(); });
  }
  std::this_thread::sleep_for(patience_);
  // False: the command has ended by itself and its thread is about to leave with its own exit code.
  if (events_.end_in_time("cancelled", nlohmann::ordered_json::object(), std::chrono::milliseconds(300)))
    ::_exit(kCancelled);
}

}  // namespace signum
