// Stands in for what steps need of the CUDA runtime where it is not built: no stream can be made, so nothing but
// cuda_info is ever called.
#include <cstdlib>

#include "kernels/cuda/event.hpp"
#include "kernels/cuda/graph.hpp"
#include "kernels/cuda/info.hpp"
#include "kernels/cuda/native_stream.hpp"
#include "kernels/cuda/progress_mark.hpp"
#include "kernels/cuda/wire_floats.hpp"

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

CudaStream stream_beside(CudaStream&, StreamPriority) {
  std::abort();
}

void* native_stream(CudaStream&) {
  std::abort();
}

struct ProgressMark::State {};

ProgressMark::ProgressMark(CudaStream&, int) {
  std::abort();
}
ProgressMark::~ProgressMark() = default;
void ProgressMark::set(int, CudaStream&) {
  std::abort();
}
int ProgressMark::value() const {
  std::abort();
}

template <class To, class From>
void convert(To*, const From*, std::ptrdiff_t, CudaStream&) {
  std::abort();
}

template void convert(bf16*, const float*, std::ptrdiff_t, CudaStream&);
template void convert(f16*, const float*, std::ptrdiff_t, CudaStream&);
template void convert(float*, const bf16*, std::ptrdiff_t, CudaStream&);
template void convert(float*, const f16*, std::ptrdiff_t, CudaStream&);

CudaInfo cuda_info() {
  return {};
}

}  // namespace plume::kernels
