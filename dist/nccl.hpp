// NCCL among the ranks' GPUs; it is opened when first used, so that one program runs with and without it. Source: NVIDIA,
// NCCL User Guide, "Communicators", "Fault tolerance" and "Using NCCL with CUDA Graphs".
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "dist/communicator.hpp"
#include "kernels/stream.hpp"

namespace plume::dist {

// Why NCCL cannot be used here, as a part of a sentence; empty where it can. PLUME_NCCL names another library than the
// loader's libnccl.so.2. Builds without NCCL's header never can (dist/no_nccl.cpp).
[[nodiscard]] std::string nccl_absence();
// "2.28.9"; to be called only where it can.
[[nodiscard]] std::string nccl_version();

enum class Element { f16, bf16, f32, f64 };
enum class Reduction { sum, mean };

// One rank's end of a group, beside the stream that computes. All ranks call the same in the same order. After an error,
// which is thrown as an environment_error that names what was on its way, the group is aborted and of no more use.
class NcclGroup {
 public:
  virtual ~NcclGroup() = default;

  // All of the group's work is queued here, in the order of the calls, at a high priority.
  [[nodiscard]] virtual kernels::CudaStream& stream() = 0;
  // Later work of stream() comes after what was queued on the computing stream so far.
  virtual void fork() = 0;
  // Later work of the computing stream comes after what was queued on stream() so far.
  virtual void join() = 0;

  // A number for what is summed, for all_reduce and for people: "gradient bucket 2 of ...".
  [[nodiscard]] virtual int announce(std::string what) = 0;
  // Queued, and may be recorded (kernels/cuda/graph.hpp) once the group has summed something: values become their sum or
  // mean over the ranks, the same bits on each, in an order that is NCCL's. In 16 bits each addition is rounded.
  virtual void all_reduce(void* values, std::size_t count, Element element, Reduction reduction, int what) = 0;

  // The host waits for the computing stream, and looks whether the others are well.
  virtual void settle() = 0;
};

// `stream` computes, and must outlive the group, as must the communicator. Whoever waits for others for longer than `deadline`
// seconds throws; the pulse is marked meanwhile. The end flushes what is queued and waits for no longer either.
[[nodiscard]] std::unique_ptr<NcclGroup> open_nccl(Communicator& communicator, kernels::CudaStream& stream,
                                                   double deadline);

}  // namespace plume::dist
