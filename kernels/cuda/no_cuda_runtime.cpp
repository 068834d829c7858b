// Stands in for what steps need of the CUDA runtime where it is not built: no stream can be made, so nothing but
// cuda_info is ever called.
#include <cstdlib>

#include "kernels/cuda/event.hpp"
#include "kernels/cuda/graph.hpp"
#include "kernels/cuda/info.hpp"

namespace plume::kernels {

struct StreamGraph::State {};

StreamGraph::StreamGraph(CudaStream&, const std::function<void()>&) {
  std::abort();
}
StreamGraph::StreamGraph(StreamGraph&&) noexcept = default;
StreamGraph& StreamGraph::operator=(StreamGraph&&) noexcept = default;
StreamGraph::~StreamGraph() = default;
void StreamGraph::launch(CudaStream&) {
  std::abort();
}

struct CudaEvent::State {};

CudaEvent::CudaEvent(CudaStream&) {
  std::abort();
}
CudaEvent::CudaEvent(CudaEvent&&) noexcept = default;
CudaEvent& CudaEvent::operator=(CudaEvent&&) noexcept = default;
CudaEvent::~CudaEvent() = default;
void CudaEvent::record(CudaStream&) {
  std::abort();
}
void CudaEvent::hold(CudaStream&) {
  std::abort();
}
void CudaEvent::synchronize() {
  std::abort();
}

CudaStream stream_beside(CudaStream&) {
  std::abort();
}

CudaInfo cuda_info() {
  return {};
}

}  // namespace plume::kernels
