#include "emulated/machine.h"

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/pool.h"
#include "emulated/races.h"

namespace signum::emulated {

thread_local Here* here = nullptr;

namespace {

namespace context = boost::context;

constexpr size_t kStackBytes = size_t(256) << 10;
constexpr size_t kLargestBlock = 1024;
constexpr size_t kLargestShared = size_t(99) << 10;

[[noreturn]] void refuse(const char* why) {
  std::fprintf(stderr, "emulated device: %s\n", why);
  std::abort();
}

Order order_of_threads = Order::Rising;

enum class State : uint8_t { Ready, AtBlockBarrier, AtWarpBarrier, Ended };

// One OS thread's share of the machine: runs one block at a time, its threads as fibers that are kept.
class BlockRunner {
 public:
  void run(Here at, const std::function<void()>& body) {
    const size_t count = size_t(at.threads.x) * at.threads.y * at.threads.z;
    if (count == 0 || count > kLargestBlock || count % kWarp != 0)
      refuse("threads of a block: a multiple of 32 up to 1024");
    while (threads_.size() < count) threads_.push_back(std::make_unique<Thread>(*this));
    body_ = &body;
    own_ = races::this_thread();
    count_ = live_ = count;
    warps_.assign(count / kWarp, Warp{});
    for (size_t i = 0; i < count; ++i) {
      Thread& thread = *threads_[i];
      thread.at = at;
      thread.at.flat = unsigned(i);
      thread.at.thread = {unsigned(i % at.threads.x), unsigned(i / at.threads.x % at.threads.y),
                          unsigned(i / at.threads.x / at.threads.y)};
      thread.state = State::Ready;
      ++warps_[i / kWarp].live;
    }
    races::ends_at(&own_);
    while (live_ > 0) turn();
    races::begins_at(&count_);
  }

  void wait(State for_what) {
    Thread& thread = *threads_[here->flat];
    const size_t w = here->flat / kWarp;
    void* const place = for_what == State::AtWarpBarrier ? static_cast<void*>(&warps_[w]) : &live_;
    races::ends_at(place);
    if (for_what == State::AtBlockBarrier || !arrive_at_warp(w)) {
      thread.state = for_what;
      thread.leave(*this);
    }
    races::begins_at(place);
  }
  unsigned char (*slots())[8] {
    Warp& warp = warps_[here->flat / kWarp];
    return warp.slots[warp.operations % 2];
  }

 private:
  struct Warp {
    unsigned live = 0, waiting = 0, operations = 0;
    alignas(16) unsigned char slots[2][kWarp][8];
  };
  struct Thread {
    explicit Thread(BlockRunner& runner)
        : fiber(std::allocator_arg, context::fixedsize_stack(kStackBytes),
                [this, &runner](context::fiber&& from) {
                  scheduler = std::move(from);
                  for (;;) {
                    races::begins_at(&runner.own_);
                    (*runner.body_)();
                    state = State::Ended;
                    races::ends_at(&runner.count_);
                    leave(runner);
                  }
                  return std::move(scheduler);
                }) {}
    void leave(BlockRunner& runner) {
      races::switch_to(runner.own_);
      scheduler = std::move(scheduler).resume();
    }
    Here at;
    State state = State::Ended;
    void* watched = races::new_thread();
    context::fiber fiber, scheduler;
  };

  // Every thread that can goes on until it waits or ends.
  void turn() {
    bool moved = false;
    for (size_t k = 0; k < count_; ++k) {
      const size_t i = order_of_threads == Order::Rising ? k : count_ - 1 - k;
      Thread& thread = *threads_[i];
      if (thread.state != State::Ready) continue;
      moved = true;
      here = &thread.at;
      races::switch_to(thread.watched);
      thread.fiber = std::move(thread.fiber).resume();
      here = nullptr;
      if (thread.state == State::Ended) {
        --live_;
        --warps_[i / kWarp].live;
      }
    }
    size_t at_barrier = 0;
    for (size_t i = 0; i < count_; ++i) at_barrier += threads_[i]->state == State::AtBlockBarrier;
    if (at_barrier == live_ && live_ > 0) {
      release(0, count_, State::AtBlockBarrier);
      moved = true;
    }
    if (!moved && live_ > 0) refuse("threads wait for one that has ended or waits elsewhere");
  }

  // True: it is the last one, and all go on.
  bool arrive_at_warp(size_t w) {
    Warp& warp = warps_[w];
    if (warp.live != kWarp) refuse("a warp operation of less than a whole warp");
    if (++warp.waiting < kWarp) return false;
    warp.waiting = 0;
    ++warp.operations;
    release(w * kWarp, (w + 1) * kWarp, State::AtWarpBarrier);
    return true;
  }

  void release(size_t from, size_t to, State state) {
    for (size_t i = from; i < to; ++i)
      if (threads_[i]->state == state) threads_[i]->state = State::Ready;
  }

  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Warp> warps_;
  const std::function<void()>* body_ = nullptr;
  void* own_ = nullptr;  // the thread that runs the blocks
  size_t count_ = 0, live_ = 0;
};

thread_local std::unique_ptr<BlockRunner> runner;

ThreadPool& machine() {
  static auto* pool =
      new ThreadPool(races::kProcessors);  // fibers of its threads must not be unwound at the end
  return *pool;
}

}  // namespace

void block_barrier() { runner->wait(State::AtBlockBarrier); }
void warp_barrier() { runner->wait(State::AtWarpBarrier); }
unsigned char (*warp_slots())[8] { return runner->slots(); }
void run_threads_in(Order order) { order_of_threads = order; }

void run_grid(dim3 blocks, dim3 threads, size_t shared, const std::function<void()>& body) {
  const size_t count = size_t(blocks.x) * blocks.y * blocks.z;
  // What every card from 8.0 on can do, and none more.
  if (blocks.x > 0x7FFFFFFFu || blocks.y > 65535 || blocks.z > 65535)
    refuse("a grid of more blocks than a card takes");
  if (threads.z > 64) refuse("a block of more than 64 layers of threads");
  if (shared > kLargestShared) refuse("more shared memory than a card of 8.6 gives to a block");
  machine().parallel_for(count, [&](size_t i) {
    if (!runner) runner = std::make_unique<BlockRunner>();
    std::vector<unsigned char> room(shared + 128, 0xFF);
    Here at;
    at.block = {unsigned(i % blocks.x), unsigned(i / blocks.x % blocks.y), unsigned(i / blocks.x / blocks.y)};
    at.threads = threads;
    at.blocks = blocks;
    at.shared = room.data() + (128 - reinterpret_cast<uintptr_t>(room.data()) % 128) % 128;
    runner->run(at, body);
  });
}

}  // namespace signum::emulated

namespace signum::cuda {

unsigned warp_ballot(bool yes) {
  unsigned char(*slots)[8] = emulated::warp_slots();
  slots[emulated::here->flat % emulated::kWarp][0] = yes;
  emulated::warp_barrier();
  unsigned bits = 0;
  for (unsigned lane = 0; lane < emulated::kWarp; ++lane) bits |= unsigned(slots[lane][0]) << lane;
  return bits;
}

}  // namespace signum::cuda
