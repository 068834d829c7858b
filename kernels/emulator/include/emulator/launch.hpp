// Launching a kernel on the emulator's streams.
#pragma once

#include <cuda_runtime.h>

#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace plume::emulator {

// One per kernel that is launched.
struct Kernel {
  Kernel(const void* function, const char* launcher);

  const void* function;
  std::string name;
  std::uint64_t largest_grid = 0;
};

struct Launch {
  Kernel* kernel;
  dim3 grid;
  dim3 block;
  std::size_t dynamic_shared;
  std::function<void()> body;  // one thread of the kernel, with its arguments
};

// Checks the launch, and queues it.
cudaError_t enqueue_launch(Launch launch, cudaStream_t stream);
// Kernels' pointers must be null, device memory or pinned host memory.
bool kernel_can_reach(const void* pointer);
cudaError_t refuse_pointer(const Kernel& kernel, const void* pointer, std::size_t argument);

template <auto kernel>
Kernel& kernel_entry() {
  static Kernel entry(reinterpret_cast<const void*>(kernel), __PRETTY_FUNCTION__);
  return entry;
}

template <class Parameter>
const void* pointer_in(const Parameter& parameter) {
  if constexpr (std::is_pointer_v<Parameter> && !std::is_function_v<std::remove_pointer_t<Parameter>>) {
    return static_cast<const void*>(parameter);
  } else {
    return nullptr;
  }
}

template <auto kernel, class... Parameters>
cudaError_t launch_with(void (*)(Parameters...), const dim3& grid, const dim3& block, std::size_t dynamic_shared,
                        cudaStream_t stream, std::type_identity_t<std::remove_cvref_t<Parameters>>... arguments) {
  Kernel& entry = kernel_entry<kernel>();
  std::size_t position = 0;
  for (const void* pointer : {pointer_in(arguments)..., static_cast<const void*>(nullptr)}) {
    if (pointer != nullptr && !kernel_can_reach(pointer)) return refuse_pointer(entry, pointer, position);
    ++position;
  }
  auto body = [values = std::tuple<std::remove_cvref_t<Parameters>...>(std::move(arguments)...)] {
    std::apply(kernel, values);
  };
  return enqueue_launch({&entry, grid, block, dynamic_shared, std::move(body)}, stream);
}

template <auto kernel, class... Arguments>
cudaError_t launch(const dim3& grid, const dim3& block, std::size_t dynamic_shared, cudaStream_t stream,
                   const Arguments&... arguments) {
  return launch_with<kernel>(kernel, grid, block, dynamic_shared, stream, arguments...);
}

}  // namespace plume::emulator
