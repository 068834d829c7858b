// Marks in the order of a CUDA stream's work, for other streams and the host to wait for.
// In builds without CUDA nothing here is ever called.
#pragma once

#include <memory>

#include "kernels/stream.hpp"

namespace plume::kernels {

class CudaEvent {
 public:
  explicit CudaEvent(CudaStream& stream);  // for streams of the same device; nothing is marked yet
  CudaEvent(CudaEvent&&) noexcept;
  CudaEvent& operator=(CudaEvent&&) noexcept;
  ~CudaEvent();

  // Marks what was queued on the stream so far, in place of an earlier mark.
  void record(CudaStream& stream);
  // What is queued on the stream from now on runs after the mark. Without a mark nothing waits.
  void hold(CudaStream& stream);
  // The host waits for the mark.
  void synchronize();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One more stream on the same device: its work runs beside the first one's.
[[nodiscard]] CudaStream stream_beside(CudaStream& stream, StreamPriority priority = StreamPriority::normal);

}  // namespace plume::kernels
