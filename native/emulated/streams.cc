#include "emulated/streams.h"

#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

namespace signum::emulated {

struct Queue::Work {
  std::recursive_mutex mutex;
  std::deque<std::function<void()>> waiting;
  size_t put = 0, done = 0;  // since it was made

  void empty_up_to(size_t count) {
    const std::lock_guard held(mutex);
    while (done < count) {
      const std::function<void()> work = std::move(waiting.front());
      waiting.pop_front();
      ++done;
      work();
    }
  }
  size_t count() {
    const std::lock_guard held(mutex);
    return put;
  }
};

Queue::Queue() : work_(std::make_shared<Work>()) {}

void Queue::put(std::function<void()> work) {
  const std::lock_guard held(work_->mutex);
  work_->waiting.push_back(std::move(work));
  ++work_->put;
}

void Queue::empty() { work_->empty_up_to(work_->count()); }

void Queue::wait_for(Queue& other) {
  put([work = other.work_, count = other.work_->count()] { work->empty_up_to(count); });
}

}  // namespace signum::emulated
