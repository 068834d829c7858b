// A recording of what was queued on a CUDA stream, and its replay: one launch in place of hundreds.
// Source: CUDA C++ Programming Guide, "CUDA Graphs", stream capture. In builds without CUDA nothing here is ever called.
#pragma once

#include <functional>
#include <memory>

#include "kernels/stream.hpp"

namespace plume::kernels {

class StreamGraph {
 public:
  // Records what `work` queues on the stream; none of it runs. Memory that the work names must outlive the graph.
  // Throws environment_error where something in the work cannot be recorded (an allocation, a wait): the stream is as
  // before then. What `work` throws comes through.
  StreamGraph(CudaStream& stream, const std::function<void()>& work);
  StreamGraph(StreamGraph&&) noexcept;
  StreamGraph& operator=(StreamGraph&&) noexcept;
  ~StreamGraph();

  // Queues all of it.
  void launch(CudaStream& stream);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plume::kernels
