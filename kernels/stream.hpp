// Where operations run: a CPU stream is a team of threads with scratch memory that lives as long as the stream.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

namespace plume::kernels {

// A grow-only block of memory, 64-byte aligned; its contents do not survive a call of another kernel.
class Scratch {
 public:
  // At least `count` elements of T, uninitialised.
  template <class T>
  [[nodiscard]] T* take(std::size_t count) {
    return static_cast<T*>(reserve(count * sizeof(T)));
  }

 private:
  struct Free {
    void operator()(void* memory) const noexcept;
  };
  void* reserve(std::size_t bytes);

  std::unique_ptr<void, Free> memory_;
  std::size_t capacity_ = 0;
};

// Results do not depend on the number of threads: kernels split work by shape, and add partial sums in a fixed order.
class CpuStream {
 public:
  // threads = 0 takes OpenMP's default (OMP_NUM_THREADS, else the machine's cores).
  explicit CpuStream(int threads = 0);

  [[nodiscard]] int threads() const noexcept { return threads_; }

  enum Purpose : std::size_t { weights, partials, statistics, purposes };
  [[nodiscard]] Scratch& shared(Purpose purpose) { return shared_[purpose]; }
  // For the calling thread inside a parallel region, by its number in the team.
  [[nodiscard]] Scratch& local(int thread, std::size_t slot = 0) {
    return local_[static_cast<std::size_t>(thread) * slots + slot];
  }

 private:
  static constexpr std::size_t slots = 2;
  int threads_;
  std::vector<Scratch> shared_;
  std::vector<Scratch> local_;
};

// The name of the CPU's instruction set in use (PLUME_ISA), for `plume doctor` and the records of runs.
[[nodiscard]] std::string_view instruction_set();

// Operations are overloads on the concrete stream; callers std::visit.
using Stream = std::variant<CpuStream>;

}  // namespace plume::kernels
