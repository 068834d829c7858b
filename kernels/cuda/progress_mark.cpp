// Copies out of a table of numbers: a copy can be recorded, and needs no kernel.
#include "kernels/cuda/progress_mark.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/stream_state.hpp"
#include "kernels/memory.hpp"

namespace plume::kernels {

struct ProgressMark::State {
  Memory numbers;
  Memory pinned;
  int most;

  [[nodiscard]] int* host() const { return reinterpret_cast<int*>(pinned.data()); }
};

ProgressMark::ProgressMark(CudaStream& stream, int most) : state_(std::make_unique<State>()) {
  std::vector<int> numbers(static_cast<std::size_t>(most) + 1);
  std::iota(numbers.begin(), numbers.end(), 0);
  const std::size_t bytes = numbers.size() * sizeof(int);
  *state_ = {allocate(bytes, stream), allocate_pinned(sizeof(int), stream), most};
  if (!state_->numbers) cuda::check(cudaErrorMemoryAllocation);
  *state_->host() = 0;
  upload(state_->numbers.data(), numbers.data(), bytes, stream);
  stream.synchronize();
}

ProgressMark::~ProgressMark() = default;

void ProgressMark::set(int value, CudaStream& stream) {
  const auto* numbers = reinterpret_cast<const int*>(state_->numbers.data());
  cuda::check(cudaMemcpyAsync(state_->host(), numbers + std::clamp(value, 0, state_->most), sizeof(int),
                              cudaMemcpyDeviceToHost, stream.state().stream));
}

int ProgressMark::value() const {
  return std::atomic_ref(*state_->host()).load(std::memory_order_acquire);
}

}  // namespace plume::kernels
