#include "base/pool.h"

namespace signum {
namespace {
thread_local bool inside_task = false;
constexpr int kSpins = 2000;  // a block's phases follow each other within microseconds: look before sleeping

template <class Done>
void spin_until(const Done& done) {
  for (int spin = 0; spin < kSpins && !done(); ++spin) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

}  // namespace

ThreadPool::ThreadPool(size_t threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  for (size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    quit_ = true;
    ++generation_;
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

// task and count are this call's own copies: the caller clears the shared ones while late workers still
// drain.
void ThreadPool::drain(const std::function<void(size_t)>& task, size_t count) {
  inside_task = true;
  for (size_t i; (i = next_.fetch_add(1)) < count;) {
    if (interrupted())
      left_out_ = true;
    else
      task(i);
  }
  inside_task = false;
}

void ThreadPool::work() {
  uint64_t seen = 0;
  for (;;) {
    spin_until([&] { return generation_.load(std::memory_order_acquire) != seen; });
    const std::function<void(size_t)>* task = nullptr;
    size_t count = 0;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return generation_.load() != seen; });
      seen = generation_.load();
      if (quit_) return;
      if (!task_) continue;  // woke after that call had ended
      task = task_;
      count = count_;
      ++active_;
    }
    drain(*task, count);
    {
      std::lock_guard lock(mutex_);
      --active_;
    }
    done_.notify_one();
  }
}

void ThreadPool::parallel_for(size_t count, const std::function<void(size_t)>& task) {
  if (count == 0) return;
  if (inside_task) {
    for (size_t i = 0; i < count; ++i) task(i);
    return;
  }
  if (workers_.empty() || count == 1) {
    for (size_t i = 0; i < count; ++i) {
      if (interrupted()) throw Interrupted();
      task(i);
    }
    return;
  }
  left_out_ = false;
  {
    std::lock_guard lock(mutex_);
    task_ = &task;
    count_ = count;
    next_ = 0;
    ++generation_;
  }
  wake_.notify_all();
  drain(task, count);
  {
    std::lock_guard lock(mutex_);
    task_ = nullptr;  // from here on no other worker begins
  }
  spin_until([&] { return active_.load(std::memory_order_acquire) == 0; });
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return active_ == 0; });
  if (left_out_) throw Interrupted();
}

}  // namespace signum
