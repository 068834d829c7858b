// Execution of queued work.
#include "kernels/emulator/stream.hpp"

#include <algorithm>
#include <utility>

#include "kernels/base/error.hpp"
#include "kernels/emulator/runtime.hpp"
#include "kernels/emulator/schedule.hpp"

namespace plume::emulator {

CUstream_st* Streams::create(bool legacy_ordered) {
  streams_.push_back(std::make_unique<CUstream_st>());
  streams_.back()->legacy_ordered = legacy_ordered;
  return streams_.back().get();
}

CUstream_st* Streams::find(CUstream_st* handle) {
  if (handle == nullptr) return &default_;
  const auto same = [&](const auto& stream) { return stream.get() == handle; };
  return std::any_of(streams_.begin(), streams_.end(), same) ? handle : nullptr;
}

void Streams::destroy(CUstream_st* stream) {
  finish(stream);
  std::erase_if(streams_, [&](const auto& owned) { return owned.get() == stream; });
}

cudaError_t Streams::enqueue(CUstream_st* stream, Task task) {
  if (stream->capture != nullptr) {
    Capture& capture = *stream->capture;
    if (capture.invalidated) return cudaErrorStreamCaptureInvalidated;
    capture.graph->nodes.push_back({std::move(task.run), stream->last});
    stream->last = {capture.graph->nodes.size() - 1};
    return cudaSuccess;
  }
  if (stream == &default_) {
    for (const auto& capture : captures_) {
      if (!capture->origin->legacy_ordered) continue;
      capture->invalidated = true;
      return cudaErrorStreamCaptureImplicit;
    }
    for (const auto& other : streams_) {
      if (other->legacy_ordered) finish(other.get());
    }
    stream->queue.push_back(std::move(task));
    finish(stream);
    return cudaSuccess;
  }
  stream->queue.push_back(std::move(task));
  return cudaSuccess;
}

void Streams::run(Task task) {
  if (task.run) task.run();
  if (task.completes != nullptr) {
    task.completes->time = std::chrono::steady_clock::now();
    task.completes->done = true;
  }
}

template <class Done>
void Streams::run_until(Done done) {
  const auto ready = [](const CUstream_st& stream) {
    return !stream.queue.empty() && (stream.queue.front().waits_for == nullptr || stream.queue.front().waits_for->done);
  };
  std::vector<CUstream_st*> choice;
  while (!done()) {
    choice.clear();
    if (ready(default_)) choice.push_back(&default_);
    for (const auto& stream : streams_) {
      if (ready(*stream)) choice.push_back(stream.get());
    }
    if (choice.empty()) throw environment_error("emulated streams wait for each other in a circle");
    CUstream_st& stream = *choice[choice.size() == 1 ? 0 : random_below(choice.size())];
    Task task = std::move(stream.queue.front());
    stream.queue.pop_front();
    run(std::move(task));
  }
}

void Streams::finish(CUstream_st* stream) {
  run_until([&] { return stream->queue.empty(); });
}

void Streams::finish(const Ticket& ticket) {
  run_until([&] { return ticket.done; });
}

void Streams::finish_all() {
  run_until([&] {
    return default_.queue.empty() &&
           std::all_of(streams_.begin(), streams_.end(), [](const auto& stream) { return stream->queue.empty(); });
  });
}

void Streams::advance() {
  bool first = true;
  const bool idle = default_.queue.empty() && std::all_of(streams_.begin(), streams_.end(),
                                                          [](const auto& stream) { return stream->queue.empty(); });
  if (!idle) run_until([&] { return !std::exchange(first, false); });
}

void Streams::drop_all() {
  const auto drop = [](CUstream_st& stream) {
    for (const Task& task : stream.queue) {
      if (task.completes != nullptr) task.completes->done = true;
    }
    stream.queue.clear();
  };
  drop(default_);
  for (const auto& stream : streams_) drop(*stream);
}

void Streams::begin_capture(CUstream_st* stream, cudaStreamCaptureMode mode) {
  captures_.push_back(std::make_shared<Capture>());
  Capture& capture = *captures_.back();
  capture.origin = stream;
  capture.mode = mode;
  capture.thread = std::this_thread::get_id();
  capture.streams = {stream};
  stream->capture = captures_.back();
  stream->last.clear();
}

void Streams::end_capture(Capture& capture) {
  for (CUstream_st* stream : capture.streams) {
    if (find(stream) == nullptr) continue;  // destroyed meanwhile
    stream->capture = nullptr;
    stream->last.clear();
  }
  std::erase_if(captures_, [&](const auto& owned) { return owned.get() == &capture; });
}

bool Streams::unsafe_call_allowed() {
  bool allowed = true;
  for (const auto& capture : captures_) {
    const bool mine = capture->thread == std::this_thread::get_id();
    if (capture->mode == cudaStreamCaptureModeRelaxed || (capture->mode == cudaStreamCaptureModeThreadLocal && !mine)) {
      continue;
    }
    capture->invalidated = true;
    allowed = false;
  }
  return allowed;
}

void run_graph(const Graph& graph) {
  std::vector<bool> done(graph.nodes.size(), false);
  std::vector<std::size_t> ready;
  for (std::size_t left = graph.nodes.size(); left > 0; --left) {
    ready.clear();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const auto& after = graph.nodes[i].after;
      if (!done[i] && std::all_of(after.begin(), after.end(), [&](std::size_t node) { return done[node]; })) {
        ready.push_back(i);
      }
    }
    const std::size_t node = ready[ready.size() == 1 ? 0 : random_below(ready.size())];
    if (graph.nodes[node].run) graph.nodes[node].run();
    done[node] = true;
  }
}

}  // namespace plume::emulator
