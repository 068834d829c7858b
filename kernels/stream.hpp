// Where operations run: a team of CPU threads, or a stream of a CUDA device; each with scratch memory of its own.
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

// How the CPU's 3x3 convolutions of stride 1 multiply. automatic: as is fastest for their shape; winograd: with the faster
// of F2 and F4, wherever it applies. Other convolutions are always direct.
enum class ConvPolicy { automatic, direct, winograd, winograd_f2, winograd_f4 };

class Profile;  // kernels/profile.hpp

// Results do not depend on the number of threads: kernels split work by shape, and add partial sums in a fixed order.
class CpuStream {
 public:
  // OpenMP's library keeps what it needs for each thread of a team on the stack, and dies of too large a team.
  static constexpr int largest_team = 1024;

  // threads = 0 takes OpenMP's default (OMP_NUM_THREADS, else the machine's cores); never more than the largest team.
  explicit CpuStream(int threads = 0, ConvPolicy convolutions = ConvPolicy::automatic);

  [[nodiscard]] int threads() const noexcept { return threads_; }
  // Lets it work on fewer threads than it was made with, or on all again.
  void use_threads(int threads) noexcept { threads_ = threads < most_threads_ ? threads : most_threads_; }
  [[nodiscard]] ConvPolicy convolutions() const noexcept { return convolutions_; }

  // Where time is kept account of; null: nowhere. The profile must outlive its use here.
  [[nodiscard]] Profile* profile() const noexcept { return profile_; }
  void keep(Profile* profile) noexcept { profile_ = profile; }

  enum Purpose : std::size_t { weights, inputs, partials, statistics, purposes };
  [[nodiscard]] Scratch& shared(Purpose purpose) { return shared_[purpose]; }
  // For the calling thread inside a parallel region, by its number in the team.
  [[nodiscard]] Scratch& local(int thread, std::size_t slot = 0) {
    return local_[static_cast<std::size_t>(thread) * slots + slot];
  }

 private:
  static constexpr std::size_t slots = 2;
  int threads_;
  int most_threads_ = threads_;
  ConvPolicy convolutions_;
  Profile* profile_ = nullptr;
  std::vector<Scratch> shared_;
  std::vector<Scratch> local_;
};

// How f32 convolutions multiply on CUDA: three TF32 products that keep f32's accuracy, or one TF32 product.
enum class MathMode { f32, tf32 };

// Whose kernels the device begins first where several streams have some.
enum class StreamPriority { normal, high };

// Work is queued in order and runs beside the host; memory that operations name is the device's. f32 and bf16.
// Absent from builds without CUDA: there it cannot be made (kernels/cuda/no_cuda.cpp).
class CudaStream {
 public:
  // Throws environment_error where there is no such device.
  explicit CudaStream(int device = 0, MathMode math = MathMode::f32, StreamPriority priority = StreamPriority::normal);
  CudaStream(CudaStream&&) noexcept;
  CudaStream& operator=(CudaStream&&) noexcept;
  ~CudaStream();

  // Waits until all that was queued is done. Throws environment_error where some of it failed.
  void synchronize();
  // Whether it is, without waiting. Throws likewise.
  [[nodiscard]] bool idle();

  // Its number among those that the program sees.
  [[nodiscard]] int device() const noexcept;

  struct State;  // kernels/cuda/stream_state.hpp
  [[nodiscard]] State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// 0 where CUDA was not built in, or has no driver or no device.
[[nodiscard]] int cuda_device_count() noexcept;

// The name of the CPU's instruction set in use (PLUME_ISA), for `plume doctor` and the records of runs.
[[nodiscard]] std::string_view instruction_set();

// Operations are overloads on the concrete stream; callers std::visit.
using Stream = std::variant<CpuStream, CudaStream>;

}  // namespace plume::kernels
