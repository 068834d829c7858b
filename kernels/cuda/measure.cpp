// Times work between two events.
#include "kernels/cuda/measure.hpp"

#include <algorithm>
#include <array>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/stream_state.hpp"

namespace plume::kernels::cuda {
namespace {

class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDefault)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { static_cast<void>(cudaEventDestroy(event_)); }

  void record(CudaStream& stream) { check(cudaEventRecord(event_, stream.state().stream)); }
  [[nodiscard]] float milliseconds_since(const Event& start) const {
    float milliseconds = 0;
    check(cudaEventSynchronize(event_));
    check(cudaEventElapsedTime(&milliseconds, start.event_, event_));
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

float measure(const std::function<void()>& queue_work, CudaStream& stream) {
  std::array<float, 5> times{};
  Event start;
  Event end;
  queue_work();
  for (float& time : times) {
    start.record(stream);
    queue_work();
    end.record(stream);
    time = end.milliseconds_since(start);
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

bool capturing(CudaStream& stream) {
  auto status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream.state().stream, &status));
  return status != cudaStreamCaptureStatusNone;
}

}  // namespace plume::kernels::cuda
