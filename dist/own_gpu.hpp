// Which GPU is which rank's.
#pragma once

#include "dist/communicator.hpp"
#include "kernels/stream.hpp"

namespace plume::dist {

// This rank's CUDA device, by its number among the `visible` ones: the only one that a launcher left visible, or else the
// one of its local rank; -1 where no rank sees any. All ranks call it. Throws environment_error, on all of them, where some
// see devices and others none, and where a machine has more ranks than devices.
[[nodiscard]] int own_gpu(Communicator& communicator, int visible);

// Throws environment_error, on all ranks, where two of them are on one GPU: names both and the GPU.
void require_own_gpus(Communicator& communicator, kernels::CudaStream& stream);

}  // namespace plume::dist
