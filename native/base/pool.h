// The one thread pool. Results never depend on its size: callers split work by shape only, never by thread
// count.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace signum {

// Thrown by parallel_for() where the work was given up; what it was to fill is then half done.
struct Interrupted {};

class ThreadPool {
 public:
  // threads >= 1, the calling thread included; 0 = one per core.
  explicit ThreadPool(size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t threads() const { return workers_.size() + 1; }

  // Calls task(i) once for every i in [0, count), in any order, on any thread; returns when all are done.
  // A call from inside a task runs inline.
  void parallel_for(size_t count, const std::function<void(size_t)>& task);

  // From now on `asked` is looked at before every task, on any thread; once it says yes, tasks are left out
  // and parallel_for() throws Interrupted, always on the thread that called it and never out of a task.
  // Empty: nobody asks. Not during a parallel_for().
  void interrupt_when(std::function<bool()> asked) { asked_ = std::move(asked); }

 private:
  bool interrupted() const { return asked_ && asked_(); }
  void work();
  void drain(const std::function<void(size_t)>& task, size_t count);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::atomic<uint64_t> generation_{0};
  bool quit_ = false;
  const std::function<void(size_t)>* task_ = nullptr;
  size_t count_ = 0;
  std::atomic<size_t> next_{0};
  std::atomic<size_t> active_{0};
  std::function<bool()> asked_;
  std::atomic<bool> left_out_{false};  // a task, since parallel_for() began
};

}  // namespace signum
