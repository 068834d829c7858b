// What a rank is doing, in memory that it shares with its supervisor: stores of one process, loads of another, no thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace plume::dist {

// What the loop is at; `exchange` is where ranks wait for each other.
enum class Phase : int { start, data, compute, exchange, validate, save, end };

inline constexpr std::array<std::string_view, 7> phase_names{"start",    "data", "compute", "exchange",
                                                             "validate", "save", "end"};

// How a rank means to end: `finished` and `stopped` (by a signal, to be resumed) are said before the process exits, so that an
// exit without a word is told from an end.
enum class Ending : int { none, finished, stopped };

// Milliseconds of the system's clock since 1970: nodes compare them, so their clocks must agree within seconds.
[[nodiscard]] inline std::int64_t milliseconds_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

struct Pulse {
  std::atomic<int> rank{-1};  // -1 before the ranks have found each other
  std::atomic<int> size{0};
  std::atomic<std::uint64_t> run{
      0};  // the same for all ranks of one launch, another for each launch; 0 before it is known
  std::atomic<std::int64_t> step{0};  // optimiser steps done
  std::atomic<Phase> phase{Phase::start};
  std::atomic<std::int64_t> since{milliseconds_now()};  // when that phase began
  std::atomic<std::int64_t> begun{0};                   // collectives that this rank has joined
  std::atomic<std::int64_t> waiting{0};                 // since when it has been waiting in one; 0: it is not
  std::atomic<std::int64_t> looked{0};                  // when it last asked whether what it waits for is done
  std::atomic<Ending> ending{Ending::none};
  std::array<char, 64> host{};     // written before rank is set
  std::array<char, 1024> error{};  // written by the rank before it exits with an error; else empty
  static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<Phase>::is_always_lock_free);

  void enter(Phase next) {
    since.store(milliseconds_now());
    phase.store(next);
  }
};

// Marks that this rank waits for others, while it lives. A null pulse marks nothing.
class Waiting {
 public:
  explicit Waiting(Pulse* pulse) : pulse_(pulse) {
    look();
    if (pulse_ != nullptr) pulse_->waiting.store(pulse_->looked.load());
  }
  // It still asks: to be called all the while.
  void look() {
    if (pulse_ != nullptr) pulse_->looked.store(milliseconds_now());
  }
  ~Waiting() {
    if (pulse_ != nullptr) pulse_->waiting.store(0);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Pulse* pulse_;
};

}  // namespace plume::dist
