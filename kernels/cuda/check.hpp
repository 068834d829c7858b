// Turns the CUDA runtime's status codes into exceptions.
#pragma once

#include <cuda_runtime.h>

#include <source_location>

namespace plume::kernels::cuda {

// Throws environment_error naming the error and the place of the call.
void check(cudaError_t status, std::source_location where = std::source_location::current());

}  // namespace plume::kernels::cuda
