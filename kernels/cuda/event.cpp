// Events without timing, which cost less.
#include "kernels/cuda/event.hpp"

#include <cuda_runtime.h>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/stream_state.hpp"

namespace plume::kernels {

struct CudaEvent::State {
  cudaEvent_t event = nullptr;
  explicit State(int device) {
    cuda::check(cudaSetDevice(device));
    cuda::check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { static_cast<void>(cudaEventDestroy(event)); }
};

CudaEvent::CudaEvent(CudaStream& stream) : state_(std::make_unique<State>(stream.state().device)) {}
CudaEvent::CudaEvent(CudaEvent&&) noexcept = default;
CudaEvent& CudaEvent::operator=(CudaEvent&&) noexcept = default;
CudaEvent::~CudaEvent() = default;

void CudaEvent::record(CudaStream& stream) {
  cuda::check(cudaEventRecord(state_->event, stream.state().stream));
}

void CudaEvent::hold(CudaStream& stream) {
  cuda::check(cudaStreamWaitEvent(stream.state().stream, state_->event, 0));
}

void CudaEvent::synchronize() {
  cuda::check(cudaEventSynchronize(state_->event));
}

CudaStream stream_beside(CudaStream& stream, StreamPriority priority) {
  return CudaStream(stream.state().device, stream.state().math, priority);
}

}  // namespace plume::kernels
