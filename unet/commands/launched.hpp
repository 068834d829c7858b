// A command's work as one of the ranks that srun or mpiexec started.
#pragma once

#include <functional>

#include "dist/communicator.hpp"
#include "dist/supervisor.hpp"

namespace plume::unet {

// Runs `work` and returns its exit code. Of several ranks each runs it in a child of its supervisor (dist/supervisor.hpp), with
// the communicator that joins them; a process that was started alone runs it as it is, with null. Throws as dist::launch.
[[nodiscard]] int run_launched(const dist::Supervision& supervision,
                               const std::function<int(dist::Communicator* communicator)>& work);

}  // namespace plume::unet
