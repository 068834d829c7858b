// Convolutions as cuDNN operation graphs.
#pragma once

#include <vector>

#include "kernels/cuda/cudnn/backend.hpp"
#include "kernels/cuda/cudnn/conv_library.hpp"

namespace plume::kernels::cuda::cudnn {

// The operations of a problem: one convolution and, in a forward pass, the pointwise operations that follow it.
// Throws environment_error where cuDNN finds the shapes at fault.
[[nodiscard]] std::vector<Descriptor> make_operations(const ConvProblem& problem);

// The graph of these operations on a handle's device; without a handle it can be asked about, but not run.
[[nodiscard]] Descriptor make_graph(const std::vector<Descriptor>& operations, cudnnHandle_t handle);

// The pointers that a plan of the problem is executed with.
[[nodiscard]] Descriptor make_variant_pack(const ConvProblem& problem, const ConvOperands& operands, void* workspace);

}  // namespace plume::kernels::cuda::cudnn
