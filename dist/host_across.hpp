// Sums inside of a network's layers, over all ranks, through host memory.
#pragma once

#include <memory>

#include "dist/communicator.hpp"
#include "kernels/across.hpp"

namespace plume::dist {

// The communicator must outlive it.
[[nodiscard]] std::unique_ptr<kernels::AcrossRanks> host_across(Communicator& communicator);

}  // namespace plume::dist
