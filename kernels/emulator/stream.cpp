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
    capture.graph->nodes.push_back({std::move(task.run), std::move(task.may_run), stream->last});
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

cudaError_t Streams::enqueue_graph(CUstream_st* stream, const Graph& graph) {
  std::vector<bool> queued(graph.nodes.size(), false);
  std::vector<std::size_t> ready;
  for (std::size_t left = graph.nodes.size(); left > 0; --left) {
    ready.clear();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const auto& after = graph.nodes[i].after;
      if (!queued[i] && std::all_of(after.begin(), after.end(), [&](std::size_t node) { return queued[node]; })) {
        ready.push_back(i);
      }
    }
    const std::size_t node = ready[ready.size() == 1 ? 0 : random_below(ready.size())];
    queued[node] = true;
    const cudaError_t error = enqueue(stream, {graph.nodes[node].run, {}, {}, graph.nodes[node].may_run});
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

void Streams::run(Task task) {
  if (task.run) task.run();
  if (task.completes != nullptr) {
    task.completes->time = std::chrono::steady_clock::now();
    task.completes->done = true;
  }
}

std::vector<CUstream_st*> Streams::ready_streams(bool& held) {
  std::vector<CUstream_st*> choice;
  const auto look_at = [&](CUstream_st& stream) {
    if (stream.queue.empty()) return;
    const Task& first = stream.queue.front();
    if (first.waits_for != nullptr && !first.waits_for->done) return;
    if (first.may_run && !first.may_run()) {
      held = true;
    } else {
      choice.push_back(&stream);
    }
  };
  look_at(default_);
  for (const auto& stream : streams_) look_at(*stream);
  return choice;
}

void Streams::run_first(const std::vector<CUstream_st*>& choice) {
  CUstream_st& stream = *choice[choice.size() == 1 ? 0 : random_below(choice.size())];
  Task task = std::move(stream.queue.front());
  stream.queue.pop_front();
  run(std::move(task));
}

template <class Done>
void Streams::run_until(Done done) {
  while (!done()) {
    bool held = false;
    const auto choice = ready_streams(held);
    if (!choice.empty()) {
      run_first(choice);
    } else if (held) {
      std::this_thread::yield();
    } else {
      throw environment_error("emulated streams wait for each other in a circle");
    }
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
  bool held = false;
  if (const auto choice = ready_streams(held); !choice.empty()) run_first(choice);
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

}  // namespace plume::emulator
