// A block of kernel threads, run on fibres: who waits for what, and who runs next.
#pragma once

#include <array>
#include <bit>
#include <bitset>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "emulator/launch.hpp"
#include "emulator/thread.hpp"
#include "kernels/emulator/fibre.hpp"

namespace plume::emulator {

struct AsyncCopy {
  std::byte* to;
  const std::byte* from;
  bool valid;
};

struct Thread {
  enum class State : std::uint8_t { fresh, ready, waiting, exited };

  uint3 index{};
  unsigned number = 0;  // in the block
  unsigned warp = 0;
  unsigned lane = 0;
  State state = State::fresh;
  Fibre* fibre = nullptr;           // while it is started and has not exited
  const char* waits_for = nullptr;  // for reports
  Site site;
  std::vector<AsyncCopy> copies;    // issued and not landed
  std::vector<std::size_t> groups;  // where each committed group ends in `copies`
};

// What the lanes of one mask do together: the last to arrive does the work for all.
struct Meeting {
  using Combine = void (*)(unsigned mask, void* const (&lanes)[32]);

  unsigned mask = 0;  // 0: free
  unsigned arrived = 0;
  Combine combine = nullptr;
  Site site;
  void* lanes[32] = {};
};

struct Warp {
  std::array<Meeting, 32> meetings;  // a lane waits in one at a time
  unsigned lanes = 0;                // that exist
  unsigned exited = 0;
};

struct Barrier {
  int expected = 0;  // 0: nobody has come
  int arrived = 0;
  int votes = 0;   // predicates that held
  int result = 0;  // of the last round
  Site site;
  std::vector<unsigned> waiting;
};

class Block {
 public:
  static constexpr int barriers = 16;
  static constexpr unsigned max_threads = 1024;

  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // The block that runs now; throws usage_error outside of kernels.
  static Block& current();
  // As current, or null.
  static const Block* running();
  // The one that launches run on.
  static Block& instance();

  // Runs every block of the launch. Returns the report of the first error, or nothing.
  std::string run(const Launch& launch);

  [[nodiscard]] const Launch& launch() const { return *launch_; }
  [[nodiscard]] Thread& thread() { return *thread_; }
  [[nodiscard]] Thread& thread(unsigned number) { return threads_[number]; }
  [[nodiscard]] unsigned size() const { return size_; }
  [[nodiscard]] unsigned exited() const { return exited_; }
  [[nodiscard]] Warp& warp(unsigned number) { return warps_[number]; }
  [[nodiscard]] Barrier& barrier(int id) { return barriers_[static_cast<std::size_t>(id)]; }

  // The calling thread stops until another releases it.
  void wait(const char* what, const Site& site);
  void release(unsigned thread);
  // Notes an error that cannot be thrown where it was found; the thread goes on until it waits or ends.
  void fail(std::string report);
  // Leaves the kernel if an error has been noted.
  void stop_if_failed() const;
  // Under a seeded schedule, lets another thread go first.
  void maybe_yield();

 private:
  static void fibre_work();
  void shape_threads(const Launch& launch);
  void run_block(uint3 index);
  void run_thread();
  void check_exit() const;
  // The thread to run now, or null if none can; it counts as taken.
  Thread* take_next();
  [[nodiscard]] int pick() const;
  [[nodiscard]] int first_ready(unsigned from) const;
  [[nodiscard]] int last_ready(unsigned from) const;
  void enter(Thread& thread);
  void make_ready(unsigned number);
  void unwind();
  [[nodiscard]] std::string deadlock() const;

  const Launch* launch_ = nullptr;
  Thread* thread_ = nullptr;
  unsigned size_ = 0;
  unsigned exited_ = 0;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::array<Barrier, barriers> barriers_;
  std::array<std::uint64_t, max_threads / 64> ready_{};
  std::string report_;
  bool stop_ = false;  // an error was found
  bool unwinding_ = false;

  Fibre host_;
  std::vector<std::unique_ptr<Fibre>> fibres_;
  std::vector<Fibre*> idle_;
};

}  // namespace plume::emulator
