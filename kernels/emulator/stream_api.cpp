// The interface's stream and event functions.
#include <algorithm>
#include <chrono>
#include <utility>

#include "kernels/emulator/runtime.hpp"
#include "kernels/emulator/testing.hpp"

using plume::emulator::api;
using plume::emulator::Capture;
using plume::emulator::Runtime;
using plume::emulator::Ticket;

namespace {

cudaError_t status(const Runtime& runtime) {
  return runtime.failed() ? cudaErrorLaunchFailure : cudaSuccess;
}

void join(std::vector<std::size_t>& nodes, const std::vector<std::size_t>& more) {
  for (const std::size_t node : more) {
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
}

// The stream goes on after the event's captured work, and joins its capture if it was in none.
cudaError_t wait_captured(CUstream_st* stream, const CUevent_st& event) {
  const std::shared_ptr<Capture> capture = event.capture.lock();
  if (capture == nullptr) return cudaErrorCapturedEvent;
  if (capture->invalidated) return cudaErrorStreamCaptureInvalidated;
  if (stream->capture == nullptr) {
    stream->capture = capture;
    capture->streams.push_back(stream);
  }
  join(stream->last, event.after);
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return api([&](Runtime& runtime) {
    *stream = runtime.streams.create(flags == cudaStreamDefault);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  Runtime& runtime = Runtime::get();
  const std::scoped_lock lock(runtime.mutex);
  if (stream == nullptr || runtime.streams.find(stream) == nullptr) {
    return plume::emulator::remember(cudaErrorInvalidResourceHandle);
  }
  if (stream->capture != nullptr) stream->capture->invalidated = true;
  runtime.streams.destroy(stream);
  return plume::emulator::remember(status(runtime));
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->capture != nullptr) {
      stream->capture->invalidated = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    runtime.streams.finish(stream);
    return status(runtime);
  });
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->capture != nullptr) {
      stream->capture->invalidated = true;
      return cudaErrorStreamCaptureUnsupported;
    }
    runtime.streams.advance();
    if (!stream->queue.empty()) return cudaErrorNotReady;
    return status(runtime);
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr || event == nullptr) return cudaErrorInvalidResourceHandle;
    if (event->captured) return wait_captured(stream, *event);
    if (stream->capture != nullptr) {
      stream->capture->invalidated = true;
      return cudaErrorStreamCaptureIsolation;
    }
    if (event->ticket == nullptr) return cudaSuccess;  // never recorded
    return runtime.streams.enqueue(stream, {{}, event->ticket, {}, {}});
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void* data) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    return runtime.streams.enqueue(stream, {[=] { function(data); }, {}, {}, {}});
  });
}

int plume::emulator::queue_when(CUstream_st* handle, std::function<bool()> may_run, std::function<void()> run) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    return runtime.streams.enqueue(stream, {std::move(run), {}, {}, std::move(may_run)});
  });
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return api([&](Runtime&) {
    *event = new CUevent_st{};
    (*event)->timed = (flags & cudaEventDisableTiming) == 0;
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr || event == nullptr) return cudaErrorInvalidResourceHandle;
    event->captured = stream->capture != nullptr;
    if (event->captured) {
      if (stream->capture->invalidated) return cudaErrorStreamCaptureInvalidated;
      event->capture = stream->capture;
      event->after = stream->last;
      return cudaSuccess;
    }
    event->ticket = std::make_shared<Ticket>();
    return runtime.streams.enqueue(stream, {{}, {}, event->ticket, {}});
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return api([&](Runtime& runtime) {
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    if (event->captured) return cudaErrorCapturedEvent;
    if (event->ticket == nullptr) return cudaSuccess;
    runtime.streams.advance();
    return event->ticket->done ? status(runtime) : cudaErrorNotReady;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return api([&](Runtime& runtime) {
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    if (event->captured) return cudaErrorCapturedEvent;
    if (event->ticket != nullptr) runtime.streams.finish(*event->ticket);
    return status(runtime);
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return api([&](Runtime&) {
    if (start == nullptr || end == nullptr || !start->timed || !end->timed || start->ticket == nullptr ||
        end->ticket == nullptr) {
      return cudaErrorInvalidResourceHandle;
    }
    if (!start->ticket->done || !end->ticket->done) return cudaErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(end->ticket->time - start->ticket->time).count();
    return cudaSuccess;
  });
}
