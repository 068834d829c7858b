// Capture of streams into graphs, and their replay.
#include <vector>

#include "kernels/emulator/runtime.hpp"
#include "kernels/emulator/testing.hpp"

using plume::emulator::api;
using plume::emulator::Capture;
using plume::emulator::Graph;
using plume::emulator::Runtime;

namespace {

// Whether all that the capture recorded lies on the way to where its first stream ends.
bool joined(const Capture& capture) {
  const Graph& graph = *capture.graph;
  std::vector<bool> reached(graph.nodes.size(), false);
  std::vector<std::size_t> open = capture.origin->last;
  while (!open.empty()) {
    const std::size_t node = open.back();
    open.pop_back();
    if (reached[node]) continue;
    reached[node] = true;
    open.insert(open.end(), graph.nodes[node].after.begin(), graph.nodes[node].after.end());
  }
  for (const bool one : reached) {
    if (!one) return false;
  }
  return true;
}

}  // namespace

void plume::emulator::lose_captures(bool lose) {
  const std::scoped_lock lock(Runtime::get().mutex);
  Runtime::get().loses_captures = lose;
}

void plume::emulator::be_device(std::uint64_t number) {
  const std::scoped_lock lock(Runtime::get().mutex);
  Runtime::get().number = number;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return api([&](Runtime& runtime) {
    if (handle == nullptr) return cudaErrorStreamCaptureUnsupported;
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->capture != nullptr) return cudaErrorInvalidValue;
    runtime.streams.begin_capture(stream, mode);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return api([&](Runtime& runtime) {
    *graph = nullptr;
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const std::shared_ptr<Capture> capture = stream->capture;
    if (capture == nullptr || capture->origin != stream) return cudaErrorStreamCaptureUnmatched;
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id()) {
      return cudaErrorStreamCaptureWrongThread;
    }
    const bool whole = joined(*capture);
    runtime.streams.end_capture(*capture);
    if (capture->invalidated || runtime.loses_captures) return cudaErrorStreamCaptureInvalidated;
    if (!whole) return cudaErrorStreamCaptureUnjoined;
    *graph = new CUgraph_st{capture->graph};
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->capture == nullptr) {
      *status = cudaStreamCaptureStatusNone;
    } else {
      *status = stream->capture->invalidated ? cudaStreamCaptureStatusInvalidated : cudaStreamCaptureStatusActive;
    }
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return api([&](Runtime& runtime) {
    if (nodes != nullptr) return runtime.refuse(cudaErrorInvalidValue, "the emulator only counts a graph's nodes");
    *count = graph->graph->nodes.size();
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  return api([&](Runtime&) {
    *executable = new CUgraphExec_st{graph->graph};
    return cudaSuccess;
  });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  return api([](Runtime&) { return cudaSuccess; });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr || executable == nullptr) return cudaErrorInvalidResourceHandle;
    return runtime.streams.enqueue_graph(stream, *executable->graph);
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
