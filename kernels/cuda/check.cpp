// Error reports of the CUDA runtime.
#include "kernels/cuda/check.hpp"

#include "kernels/base/error.hpp"

namespace plume::kernels::cuda {

void check(cudaError_t status, std::source_location where) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // or the next call would report it again
  throw environment_error("CUDA: {} ({}), in {}", cudaGetErrorString(status), cudaGetErrorName(status),
                          where.function_name());
}

}  // namespace plume::kernels::cuda
