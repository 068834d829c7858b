// The scheduler of a block: threads run until they wait, and hand over directly to the next.
#include "kernels/emulator/block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "kernels/base/error.hpp"
#include "kernels/emulator/faults.hpp"
#include "kernels/emulator/races.hpp"
#include "kernels/emulator/report.hpp"
#include "kernels/emulator/schedule.hpp"
#include "kernels/emulator/shared_arena.hpp"

namespace plume::emulator {
namespace {

// Thrown through threads that still wait, or come to a mask that is left out, when there was an error.
struct Unwound {};

Block* now_running = nullptr;

uint3 position(std::uint64_t number, const dim3& shape) {
  return {static_cast<unsigned>(number % shape.x), static_cast<unsigned>(number / shape.x % shape.y),
          static_cast<unsigned>(number / shape.x / shape.y)};
}

}  // namespace

Block& Block::current() {
  if (now_running == nullptr) throw usage_error("device code was called outside of a kernel");
  return *now_running;
}

const Block* Block::running() {
  return now_running;
}

Block& Block::instance() {
  static Block& block = *new Block;  // never destroyed, as fibres never end
  return block;
}

std::string Block::run(const Launch& launch) {
  Fibre* outer = std::exchange(Fibre::current(), &host_);
  now_running = this;
  explain_faults();
  shape_threads(launch);
  Races::get().begin_launch();
  blockDim = launch.block;
  gridDim = launch.grid;
  const std::uint64_t blocks = std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  const Order order = schedule().order;
  const std::uint64_t turn = order == Order::seeded ? random_below(blocks) : 0;
  for (std::uint64_t i = 0; i < blocks && !stop_; ++i) {
    // Seeded: round from a random block, in a random direction.
    const bool down = order == Order::reverse || (order == Order::seeded && turn % 2 == 1);
    const std::uint64_t step = (i + turn) % blocks;
    run_block(position(down ? blocks - 1 - step : step, launch.grid));
  }
  Races::get().end_launch();
  now_running = nullptr;
  Fibre::current() = outer;
  return std::exchange(report_, {});
}

void Block::shape_threads(const Launch& launch) {
  launch_ = &launch;
  size_ = launch.block.x * launch.block.y * launch.block.z;
  stop_ = false;
  threads_.assign(size_, Thread{});
  warps_.assign((size_ + 31) / 32, Warp{});
  barriers_.fill(Barrier{});
  for (unsigned i = 0; i < size_; ++i) {
    Thread& thread = threads_[i];
    thread.index = position(i, launch.block);
    thread.number = i;
    thread.warp = i / 32;
    thread.lane = i % 32;
    warps_[thread.warp].lanes |= 1U << thread.lane;
  }
}

void Block::run_block(uint3 index) {
  blockIdx = index;
  Races::get().begin_block(size_);
  exited_ = 0;
  thread_ = nullptr;
  for (Thread& thread : threads_) thread.state = Thread::State::fresh;
  for (Warp& warp : warps_) warp.exited = 0;
  for (unsigned i = 0; i < size_; ++i) make_ready(i);
  try {
    shared_arena().begin(*launch_);
    enter(*take_next());
    if (!stop_) shared_arena().end();
  } catch (const KernelError& error) {
    fail(error.text);
  }
  if (stop_) unwind();
}

// What each fibre does: one kernel thread after another, until one that has started elsewhere is next.
void Block::fibre_work() {
  Block& block = instance();
  Fibre* self = Fibre::current();
  while (true) {
    block.thread_->fibre = self;
    block.run_thread();
    Thread* next = block.stop_ ? nullptr : block.take_next();
    if (next == nullptr && !block.stop_ && block.exited_ < block.size_) {
      block.fail(block.deadlock());
    }
    if (next != nullptr && next->fibre == nullptr) {
      block.thread_ = next;
      threadIdx = next->index;
      continue;
    }
    block.idle_.push_back(self);
    if (next == nullptr) {
      block.host_.resume();
    } else {
      block.enter(*next);
    }
    return;
  }
}

void Block::run_thread() {
  try {
    launch_->body();
    thread_->state = Thread::State::exited;
    ++exited_;
    warps_[thread_->warp].exited |= 1U << thread_->lane;
    check_exit();
  } catch (const Unwound&) {
  } catch (const KernelError& error) {
    fail(error.text);
  } catch (const std::exception& error) {
    fail(fmt::format("{}: {}", where_now(nullptr), error.what()));
  }
  thread_->state = Thread::State::exited;
  thread_->fibre = nullptr;
  thread_->copies.clear();
  thread_->groups.clear();
}

void Block::check_exit() const {
  const Barrier& barrier = barriers_[0];
  if (barrier.arrived > 0) {
    throw KernelError(fmt::format("{}: exits while {} threads wait at __syncthreads at {}", where_now(nullptr),
                                  barrier.arrived, describe(barrier.site)));
  }
  for (const Meeting& meeting : warps_[thread_->warp].meetings) {
    if ((meeting.mask >> thread_->lane & 1U) != 0) {
      throw KernelError(fmt::format("{}: exits while lanes of its warp wait for it (mask {:#010x}) at {}",
                                    where_now(nullptr), meeting.mask, describe(meeting.site)));
    }
  }
}

void Block::fail(std::string report) {
  if (stop_) return;
  fmt::print(stderr, "emulator: {}\n", report);  // now: the thread may not get to its next wait
  report_ = std::move(report);
  stop_ = true;
}

void Block::stop_if_failed() const {
  if (stop_) throw Unwound{};
}

void Block::wait(const char* what, const Site& site) {
  Thread& self = *thread_;
  self.state = Thread::State::waiting;
  self.waits_for = what;
  self.site = site;
  Thread* next = stop_ ? nullptr : take_next();
  if (next != nullptr) {
    enter(*next);
  } else {
    if (!stop_) fail(deadlock());
    host_.resume();
  }
  if (unwinding_) throw Unwound{};
}

void Block::release(unsigned number) {
  threads_[number].state = Thread::State::ready;
  make_ready(number);
}

void Block::maybe_yield() {
  if (schedule().order != Order::seeded) return;
  Thread& self = *thread_;
  release(self.number);
  Thread* next = take_next();
  if (next != &self) enter(*next);
  if (unwinding_) throw Unwound{};
}

void Block::enter(Thread& thread) {
  thread_ = &thread;
  threadIdx = thread.index;
  if (thread.fibre == nullptr) {
    if (idle_.empty()) {
      fibres_.push_back(std::make_unique<Fibre>(&Block::fibre_work));
      idle_.push_back(fibres_.back().get());
    }
    thread.fibre = idle_.back();
    idle_.pop_back();
  }
  thread.fibre->resume();
}

void Block::make_ready(unsigned number) {
  ready_[number / 64] |= std::uint64_t{1} << number % 64;
}

Thread* Block::take_next() {
  const int number = pick();
  if (number < 0) return nullptr;
  const auto taken = static_cast<unsigned>(number);
  ready_[taken / 64] &= ~(std::uint64_t{1} << taken % 64);
  return &threads_[taken];
}

// The ready thread of lowest number >= from, or -1.
int Block::first_ready(unsigned from) const {
  for (unsigned word = from / 64; word * 64 < size_; ++word) {
    const std::uint64_t skip = word == from / 64 ? from % 64 : 0;
    const std::uint64_t bits = ready_[word] >> skip << skip;
    if (bits != 0) return static_cast<int>(word * 64) + std::countr_zero(bits);
  }
  return -1;
}

// The ready thread of highest number <= from, or -1.
int Block::last_ready(unsigned from) const {
  for (unsigned word = from / 64 + 1; word-- > 0;) {
    const std::uint64_t drop = word == from / 64 ? 63 - from % 64 : 0;
    const std::uint64_t bits = ready_[word] << drop >> drop;
    if (bits != 0) return static_cast<int>(word * 64) + 63 - std::countl_zero(bits);
  }
  return -1;
}

int Block::pick() const {
  const Order order = schedule().order;
  const unsigned start = order == Order::reverse ? size_ - 1 : 0;
  const unsigned now = thread_ == nullptr ? start : thread_->number;
  switch (order) {
    case Order::forward: {
      const int found = first_ready(now);
      return found >= 0 ? found : first_ready(0);
    }
    case Order::reverse: {
      const int found = last_ready(now);
      return found >= 0 ? found : last_ready(size_ - 1);
    }
    case Order::warp: {
      const unsigned first = now / 32 * 32;
      const int found = first_ready(first);
      return found >= 0 ? found : first_ready(0);
    }
    case Order::seeded: {
      const auto from = static_cast<unsigned>(random_below(size_));
      const int found = first_ready(from);
      return found >= 0 ? found : first_ready(0);
    }
  }
  return -1;
}

// Threads that wait are resumed to leave the kernel, so that their stacks can run others.
void Block::unwind() {
  unwinding_ = true;
  ready_.fill(0);
  for (Thread& thread : threads_) {
    if (thread.fibre != nullptr) enter(thread);
  }
  unwinding_ = false;
}

std::string Block::deadlock() const {
  std::map<std::string, std::pair<unsigned, unsigned>> groups;  // what they wait for: first thread, count
  for (const Thread& thread : threads_) {
    if (thread.state != Thread::State::waiting) continue;
    auto [entry, added] =
        groups.try_emplace(fmt::format("{} at {}", thread.waits_for, describe(thread.site)), thread.number, 0U);
    ++entry->second.second;
  }
  std::string text = fmt::format("kernel {}, block ({},{},{}): no thread can go on", launch_->kernel->name, blockIdx.x,
                                 blockIdx.y, blockIdx.z);
  for (const auto& [what, threads] : groups) {
    const uint3 first = threads_[threads.first].index;
    text += fmt::format("; {} from thread ({},{},{}) wait for {}", threads.second, first.x, first.y, first.z, what);
  }
  if (exited_ > 0) text += fmt::format("; {} have exited", exited_);
  return text;
}

}  // namespace plume::emulator
