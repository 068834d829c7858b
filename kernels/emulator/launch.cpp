// Launches: checked when they are queued, and run block by block when their stream's turn comes.
#include "emulator/launch.hpp"

#include <fmt/core.h>

#include <map>
#include <memory>
#include <string_view>

#include "kernels/emulator/block.hpp"
#include "kernels/emulator/coverage.hpp"
#include "kernels/emulator/runtime.hpp"
#include "kernels/emulator/shared_arena.hpp"

namespace plume::emulator {
namespace {

// "... [with auto kernel = plume::kernels::cuda::name<float>]": what follows the equals sign.
std::string kernel_name(std::string_view launcher) {
  constexpr std::string_view mark = "kernel = ";
  const std::size_t at = launcher.find(mark);
  std::string_view name = launcher.substr(at == std::string_view::npos ? 0 : at + mark.size());
  if (name.ends_with(']')) name.remove_suffix(1);
  return std::string(name);
}

// What cudaFuncSetAttribute has allowed, by function.
std::map<const void*, std::size_t>& dynamic_limits() {
  static std::map<const void*, std::size_t> limits;
  return limits;
}

void run(const Launch& launch) {
  Runtime& runtime = Runtime::get();
  if (runtime.failed()) return;
  std::string report = Block::instance().run(launch);
  const std::string damage = runtime.memory.take_damage();
  if (report.empty() && !damage.empty()) {
    report = fmt::format("kernel {}: {}", launch.kernel->name, damage);
    fmt::print(stderr, "emulator: {}\n", report);
  }
  if (!report.empty()) runtime.fail(std::move(report));
}

std::string wrong_shape(const Launch& launch) {
  const auto [gx, gy, gz] = std::tuple(launch.grid.x, launch.grid.y, launch.grid.z);
  const auto [bx, by, bz] = std::tuple(launch.block.x, launch.block.y, launch.block.z);
  if (gx == 0 || gy == 0 || gz == 0) return "an empty grid";
  if (gx > 2147483647U || gy > 65535 || gz > 65535) return fmt::format("a grid of {} x {} x {} blocks", gx, gy, gz);
  if (bx == 0 || by == 0 || bz == 0) return "an empty block";
  if (bx > 1024 || by > 1024 || bz > 64 || std::uint64_t{bx} * by * bz > Block::max_threads) {
    return fmt::format("a block of {} x {} x {} threads", bx, by, bz);
  }
  if (const std::size_t limit = dynamic_limit(*launch.kernel); launch.dynamic_shared > limit) {
    return fmt::format("{} bytes of dynamic shared memory; without cudaFuncSetAttribute, {} are allowed",
                       launch.dynamic_shared, limit);
  }
  return {};
}

}  // namespace

Kernel::Kernel(const void* code, const char* launcher) : function(code), name(kernel_name(launcher)) {}

std::size_t dynamic_limit(const Kernel& kernel) {
  const auto found = dynamic_limits().find(kernel.function);
  return found == dynamic_limits().end() ? static_shared_limit : found->second;
}

cudaError_t enqueue_launch(Launch launch, cudaStream_t handle) {
  return api([&](Runtime& runtime) {
    CUstream_st* stream = runtime.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (const std::string wrong = wrong_shape(launch); !wrong.empty()) {
      return runtime.refuse(cudaErrorInvalidConfiguration, fmt::format("kernel {}: {}", launch.kernel->name, wrong));
    }
    note_launch(*launch.kernel, std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z);
    auto shared = std::make_shared<const Launch>(std::move(launch));
    return runtime.streams.enqueue(stream, {[shared] { run(*shared); }, {}, {}, {}});
  });
}

bool kernel_can_reach(const void* pointer) {
  Runtime& runtime = Runtime::get();
  const std::scoped_lock lock(runtime.mutex);
  const Place place = runtime.memory.place(pointer, 0);
  return place == Place::device || place == Place::pinned;
}

cudaError_t refuse_pointer(const Kernel& kernel, const void*, std::size_t argument) {
  return api([&](Runtime& runtime) {
    return runtime.refuse(
        cudaErrorInvalidValue,
        fmt::format("kernel {}: argument {} is no pointer to live device memory", kernel.name, argument));
  });
}

}  // namespace plume::emulator

cudaError_t plume_emulator_set_attribute(const void* function, cudaFuncAttribute attribute, int value) {
  using namespace plume::emulator;
  return api([&](Runtime& runtime) {
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
    if (value < 0 || static_cast<std::size_t>(value) > shared_limit) {
      return runtime.refuse(cudaErrorInvalidValue,
                            fmt::format("{} bytes of shared memory; the device has {}", value, shared_limit));
    }
    dynamic_limits()[function] = static_cast<std::size_t>(value);
    return cudaSuccess;
  });
}

cudaError_t plume_emulator_occupancy(int* blocks, const void*, int threads, std::size_t dynamic_shared) {
  using namespace plume::emulator;
  return api([&](Runtime&) {
    if (threads <= 0) return cudaErrorInvalidValue;
    const std::size_t by_threads = 2048 / static_cast<std::size_t>(threads);
    const std::size_t by_memory = (shared_limit + 1024) / (dynamic_shared + 1024);
    *blocks = static_cast<int>(std::min<std::size_t>({by_threads, by_memory, 32}));
    return cudaSuccess;
  });
}
