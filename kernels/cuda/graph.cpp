// Stream capture and graph launch.
#include "kernels/cuda/graph.hpp"

#include <cuda_runtime.h>

#include "kernels/base/error.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/stream_state.hpp"

namespace plume::kernels {
namespace {

// A capture that ends in every case, so that a failed one leaves the stream usable.
class Capture {
 public:
  explicit Capture(cudaStream_t stream) : stream_(stream) {
    cuda::check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() {
    if (!open_) return;
    cudaGraph_t graph = nullptr;
    static_cast<void>(cudaStreamEndCapture(stream_, &graph));
    if (graph) static_cast<void>(cudaGraphDestroy(graph));
    static_cast<void>(cudaGetLastError());
  }

  [[nodiscard]] cudaGraph_t end() {
    open_ = false;
    cudaGraph_t graph = nullptr;
    cuda::check(cudaStreamEndCapture(stream_, &graph));
    return graph;
  }

 private:
  cudaStream_t stream_;
  bool open_ = true;
};

}  // namespace

struct StreamGraph::State {
  cudaGraphExec_t executable = nullptr;
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (executable) static_cast<void>(cudaGraphExecDestroy(executable));
  }
};

StreamGraph::StreamGraph(CudaStream& stream, const std::function<void()>& work) : state_(std::make_unique<State>()) {
  Capture capture(stream.state().stream);
  work();
  cudaGraph_t graph = capture.end();
  const cudaError_t status = cudaGraphInstantiate(&state_->executable, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  cuda::check(status);
}

StreamGraph::StreamGraph(StreamGraph&&) noexcept = default;
StreamGraph& StreamGraph::operator=(StreamGraph&&) noexcept = default;
StreamGraph::~StreamGraph() = default;

void StreamGraph::launch(CudaStream& stream) {
  cuda::check(cudaGraphLaunch(state_->executable, stream.state().stream));
}

}  // namespace plume::kernels
