// Streams that run their work only when the host waits, in a seeded order that respects events.
#pragma once

#include <cuda_runtime.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace plume::emulator {

// One recording of an event.
struct Ticket {
  bool done = false;
  std::chrono::steady_clock::time_point time;
};

struct Task {
  std::function<void()> run;          // may be empty
  std::shared_ptr<Ticket> waits_for;  // may be null
  std::shared_ptr<Ticket> completes;  // may be null
  std::function<bool()> may_run;      // empty: always
};

struct GraphNode {
  std::function<void()> run;
  std::function<bool()> may_run;
  std::vector<std::size_t> after;
};

// What a capture has recorded; nodes come after all that they depend on.
struct Graph {
  std::vector<GraphNode> nodes;
};

struct Capture {
  CUstream_st* origin;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  bool invalidated = false;
  std::vector<CUstream_st*> streams;
};

}  // namespace plume::emulator

struct CUstream_st {
  bool legacy_ordered = true;  // with the default stream
  std::deque<plume::emulator::Task> queue;
  std::shared_ptr<plume::emulator::Capture> capture;
  std::vector<std::size_t> last;  // nodes that the next captured one comes after
};

struct CUevent_st {
  bool timed = true;
  std::shared_ptr<plume::emulator::Ticket> ticket;  // of the last recording
  std::weak_ptr<plume::emulator::Capture> capture;  // if that was captured
  bool captured = false;
  std::vector<std::size_t> after;
};

struct CUgraph_st {
  std::shared_ptr<plume::emulator::Graph> graph;
};
struct CUgraphExec_st {
  std::shared_ptr<plume::emulator::Graph> graph;
};

namespace plume::emulator {

class Streams {
 public:
  CUstream_st* create(bool legacy_ordered);
  // Null is the default stream. Null result: not a stream.
  CUstream_st* find(CUstream_st* handle);
  void destroy(CUstream_st* stream);

  // Queues or captures the task; the default stream's runs at once, after the streams that are ordered with it.
  cudaError_t enqueue(CUstream_st* stream, Task task);
  // The graph's nodes, in a seeded order that respects their dependencies.
  cudaError_t enqueue_graph(CUstream_st* stream, const Graph& graph);

  void finish(CUstream_st* stream);
  void finish(const Ticket& ticket);
  void finish_all();
  // Runs one task if any may run, so that a host that polls gets on.
  void advance();
  void drop_all();

  void begin_capture(CUstream_st* stream, cudaStreamCaptureMode mode);
  void end_capture(Capture& capture);
  // Whether the calling thread may do what a capture in progress forbids; if not, that capture is lost.
  [[nodiscard]] bool unsafe_call_allowed();

 private:
  // Those whose first task may run; `held` becomes true where one would but for its may_run.
  [[nodiscard]] std::vector<CUstream_st*> ready_streams(bool& held);
  static void run_first(const std::vector<CUstream_st*>& choice);
  template <class Done>
  void run_until(Done done);
  static void run(Task task);

  CUstream_st default_;
  std::vector<std::unique_ptr<CUstream_st>> streams_;
  std::vector<std::shared_ptr<Capture>> captures_;
};

}  // namespace plume::emulator
