// A worker started by a test: its events, its end.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

class WorkerProcess {
 public:
  // stdin stays open until close_stdin() or the end of this object. The program lies beside the test program.
  explicit WorkerProcess(const std::vector<std::string>& arguments, const char* name = "signum-worker") {
    const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
    int in[2], out[2];
    if (::pipe(in) != 0 || ::pipe(out) != 0) throw std::runtime_error("pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::signal(SIGINT, SIG_DFL);  // shells start background jobs with it ignored
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      for (int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
      std::vector<char*> list = {const_cast<char*>(program.c_str())};
      for (const std::string& argument : arguments) list.push_back(const_cast<char*>(argument.c_str()));
      list.push_back(nullptr);
      if (!std::freopen("/dev/null", "w", stderr)) ::_exit(126);
      ::execv(program.c_str(), list.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = ::fdopen(out[0], "r");
  }
  ~WorkerProcess() {
    close_stdin();
    std::fclose(out_);
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Reads up to an event of this name; false when the output ends first.
  bool wait_for(const std::string& event) {
    char* line = nullptr;
    size_t room = 0;
    bool found = false;
    while (!found && ::getline(&line, &room, out_) > 0) {
      events.push_back(nlohmann::json::parse(line));
      found = events.back().at("event") == event;
    }
    std::free(line);
    return found;
  }
  // Reads the rest; the exit code, or minus the signal.
  int wait_for_end() {
    wait_for("no event has this name");
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  void signal(int number) { ::kill(child_, number); }
  void say(const std::string& line) {
    if (::write(in_, line.data(), line.size()) < 0) throw std::runtime_error("write");
  }
  void close_stdin() {
    if (in_ >= 0) ::close(in_);
    in_ = -1;
  }

  std::vector<nlohmann::json> events;

 private:
  pid_t child_ = -1;
  int in_ = -1;
  std::FILE* out_ = nullptr;
};
